// What the tests of corpora share: compressed files, and a tokenizer that is easy to follow.
#pragma once

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "data/corpus.h"
#include "data/tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {

/// The bytes of `text` as gzip writes them.
inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string bytes(::deflateBound(&stream, text.size()) + 32, '\0');
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  return bytes;
}

/// Words are numbers: n becomes id n + 2 where the vocabulary has it. Sampling doubles every word
/// where the random number is odd.
class NumberTokenizer : public Tokenizer {
 public:
  explicit NumberTokenizer(std::int32_t size = 100) : vocabulary_{size} {}

  Vocabulary vocabulary() const override { return vocabulary_; }

  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    append(text, 1, ids);
  }
  void sample(std::string_view text, std::uint64_t random,
              std::vector<std::int32_t>& ids) const override {
    append(text, random % 2 == 1 ? 2 : 1, ids);
  }
  void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                        std::vector<std::size_t>& ends) const override {
    encode(text, ids);
    ends.resize(ids.size(), text.size());
  }
  std::string decode(std::span<const std::int32_t> /*ids*/) const override { return ""; }
  std::string piece(std::int32_t /*id*/) const override { return ""; }
  std::string serialised() const override { return "numbers " + std::to_string(vocabulary_.size); }

 private:
  void append(std::string_view text, int copies, std::vector<std::int32_t>& ids) const {
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
      const std::int32_t id = std::atoi(word.c_str()) + Vocabulary::kFirstPiece;
      const bool known = word != "?" && id < vocabulary_.start();
      for (int i = 0; i < copies; ++i) ids.push_back(known ? id : Vocabulary::kUnknown);
    }
  }

  Vocabulary vocabulary_;
};

/// Two files of text, their tokenizer and their cache in a folder.
struct CorpusSample {
  TemporaryFolder folder;
  NumberTokenizer tokenizer;
  Corpus corpus{{folder / "a.en", &tokenizer}, {folder / "a.fr", &tokenizer}, {}};

  CorpusSample(const std::string& source, const std::string& target) {
    write_bytes(corpus.source.file, source);
    write_bytes(corpus.target.file, target);
  }
  /// `pairs` lines of 1 to 9 numbers each; line n begins with n modulo 90, in both files.
  explicit CorpusSample(int pairs) : CorpusSample(lines(pairs, 5), lines(pairs, 7)) {}

  static std::string lines(int pairs, int step) {
    std::ostringstream text;
    for (int i = 1; i <= pairs; ++i) {
      text << i % 90;
      for (int k = 0; k < i * step % 9; ++k) text << " " << (i + k * step) % 90;
      text << "\n";
    }
    return text.str();
  }

  OpenedCorpus open(int threads = 2) const {
    return open_corpus(corpus, folder / "cache", threads);
  }
};

}  // namespace heddle::testing
