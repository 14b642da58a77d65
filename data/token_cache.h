// The sentence pairs of a corpus as token ids, in a file that is mapped: corpora may be larger than
// memory. The format is described in token_cache_format.h.
//
// A cache belongs to a key, the text that says what it was made of. One that does not fit, or whose
// frame is damaged, is not opened, so that it is made anew; a damaged record is seen when it is
// read. The texts stay in their files (compressed ones: in the cache), so that a tokenizer that
// samples can segment a sentence again.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/mapped_file.h"
#include "data/corpus_file.h"
#include "data/corpus_report.h"
#include "data/token_cache_format.h"
#include "data/token_cache_writer.h"

namespace heddle {

/// A pair out of a cache; meant to be used again and again.
struct TokenPair {
  std::int64_t line = 0;                     // in the files, from 1
  std::vector<std::int32_t> source, target;  // without ends
};

struct TextPair {
  std::int64_t line = 0;  // in the files, from 1
  std::string source, target;
};

class TokenCache {
 public:
  /// Opens the cache at `path` if it was made for `key`; else, and where it is damaged, nothing.
  /// `sources` and `targets` are the corpus files; throws FileError where they cannot be read.
  static std::optional<TokenCache> open(const std::filesystem::path& path, std::string_view key,
                                        const std::filesystem::path& sources,
                                        const std::filesystem::path& targets);

  /// How many pairs were kept.
  std::int64_t pairs() const { return footer_.report.kept; }
  const CorpusReport& report() const { return footer_.report; }
  Vocabulary source_vocabulary() const { return {footer_.source_vocabulary}; }
  Vocabulary target_vocabulary() const { return {footer_.target_vocabulary}; }
  /// A number for all lines and ids: two caches of the same content have the same, whenever and
  /// wherever they were made. For telling whether a corpus changed.
  std::uint64_t content() const { return footer_.content; }

  /// Pair `number`, from 0 to pairs() - 1. Throws FileError where the cache is damaged. Several
  /// threads may read.
  void read(std::int64_t number, TokenPair& pair) const;
  /// The texts of a pair. Throws FileError, too, where a corpus file is not what it was.
  void read(std::int64_t number, TextPair& pair) const;

  /// Gives the memory of a large mapping back to the system, which keeps it as long as nobody needs
  /// it more.
  void release() const;

 private:
  struct Record {
    RecordHeader header;
    std::span<const std::byte> source_ids, target_ids, source_text, target_text;
  };

  TokenCache(std::filesystem::path path, MappedFile file, const CacheFooter& footer);
  Record record(std::int64_t number) const;
  RecordHeader header_at(std::uint64_t offset, std::int64_t number) const;
  std::uint64_t record_bytes(const RecordHeader& header) const;
  void read_ids(std::span<const std::byte> bytes, const Vocabulary& vocabulary, std::int64_t number,
                std::vector<std::int32_t>& ids) const;
  [[noreturn]] void fail_damaged(std::int64_t number) const;

  std::filesystem::path path_;
  MappedFile file_;
  CacheFooter footer_;
  std::unique_ptr<CorpusFile> source_file_, target_file_;  // those that can be read at a place
};

}  // namespace heddle
