// Files of tokenizers that were cut off, changed or made up: an error that names the file, always.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>

#include "data/sentencepiece_model.h"
#include "tests/data/tokenizers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

std::vector<std::string> kinds() {
  return {R"({"type": "word"})", R"({"type": "character"})", R"({"type": "byte"})",
          R"({"type": "subword", "vocab_size": 120, "normalisation": "identity"})"};
}

std::string failure_of(const std::string& bytes) {
  return failure([&] { load_tokenizer(bytes, "run/tokenizer"); });
}

/// The file with a checksum that fits, as somebody would write who means harm.
std::string with_checksum(const std::string& bytes) {
  const std::string_view model = model_in(bytes);
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : model) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  std::ostringstream text;
  text << "heddle tokenizer 1\nsubword\nsample 0.5\nchecksum " << std::hex << hash << "\n" << model;
  return text.str();
}

/// Loads bytes that may or may not be good; what is taken must work.
void try_out(const std::string& bytes) {
  std::unique_ptr<Tokenizer> tokenizer;
  const std::string message = failure([&] { tokenizer = load_tokenizer(bytes, "run/tokenizer"); });
  if (tokenizer == nullptr) {
    CHECK(message.starts_with("run/tokenizer: "));
    return;
  }
  for (const std::string text : {"die Bäckerin ☃ sieht ½ große", "</s> \x01\xFF ｶﾞ Ａﬃ €"}) {
    for (const Ids& ids : {encoded(*tokenizer, text), sampled(*tokenizer, text, 1)}) {
      tokenizer->decode(ids);
      for (const auto id : ids) CHECK((id >= 1 && id < tokenizer->vocabulary().start()));
    }
  }
}

TEST_CASE("tokenizer files: whatever is loaded writes the same bytes") {
  for (const std::string& kind : kinds()) {
    const std::string bytes = trained(kind, small_text())->serialised();
    CHECK(load_tokenizer(bytes, "t")->serialised() == bytes);
  }
}

TEST_CASE("tokenizer files: cut off anywhere, or with more at the end, they are refused") {
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    const std::string bytes = trained(kind, small_text())->serialised();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string message = failure_of(bytes.substr(0, size));
      if (!message.starts_with("run/tokenizer: ")) FAIL_CHECK(size, ": ", message);
    }
    CHECK(failure_of(bytes + "x").starts_with("run/tokenizer: "));
    CHECK(failure_of(bytes + "\n").starts_with("run/tokenizer: "));
  }
}

TEST_CASE("tokenizer files: changed bytes do no harm") {
  std::mt19937 random(11);
  for (const std::string& kind : kinds()) {
    CAPTURE(kind);
    const std::string bytes = trained(kind, small_text())->serialised();
    for (int round = 0; round < 400; ++round) {
      std::string changed = bytes;
      for (int i = 0; i <= round % 3; ++i) {
        changed[random() % changed.size()] = static_cast<char>(random());
      }
      try_out(changed);
      if (kind.find("subword") == kind.npos) continue;
      try_out(with_checksum(changed));
      try_out(with_checksum(changed.substr(0, random() % changed.size())));
    }
  }
}

TEST_CASE("tokenizer files: each error says what is wrong") {
  const auto message = [](const std::string& rest) {
    return failure_of("heddle tokenizer 1\n" + rest);
  };
  CHECK(failure_of("") == "run/tokenizer: ends within line 1; the file was cut off");
  CHECK(contains(failure_of("heddle tokenizer 2\nbyte\n"), "is no tokenizer of this version"));
  CHECK(contains(message("wrod\n"), "line 2 names no type of tokenizer (known: subword, word,"));
  CHECK(contains(message("byte\nx"), "more lines than a byte tokenizer"));
  CHECK(contains(message("word\nwords 1\na\n"), "line 3 is not \"pieces\" and a value"));
  CHECK(contains(message("word\npieces -1\na\n"), "line 3 holds no number"));
  CHECK(contains(message("word\npieces 1x\na\n"), "line 3 holds no number"));
  CHECK(contains(message("word\npieces 99999999999999999999\na\n"), "line 3 holds no number"));
  CHECK(contains(message("word\npieces 9999999999999\na\n"), "claims 9999999999999 pieces"));
  CHECK(contains(message("word\npieces 1000000000\na\n"), "ends within line 5"));
  CHECK(contains(message("word\npieces 2\na\nb c\n"), "line 5 is no word"));
  CHECK(contains(message("word\npieces 2\na\n\xFF\n"), "line 5 is no word"));
  CHECK(contains(message("word\npieces 2\na\n\n"), "line 5 is no word"));
  CHECK(contains(message("word\npieces 3\na\nb\na\n"), "line 6 repeats an earlier one"));
  CHECK(contains(message("word\npieces 1\na\nb\n"), "has lines after its 1 pieces"));
  CHECK(contains(message("character\npieces 1\nab\n"), "line 4 is no character"));
  CHECK(contains(message("subword\nsample 2\n"), "no number from 0 to 1"));
  CHECK(contains(message("subword\nsample nan\n"), "no number from 0 to 1"));
  CHECK(contains(message("subword\nsample 0\nchecksum 0\nabc"), "the checksum does not fit"));
  CHECK(contains(failure_of(with_checksum("1\n2\n3\n4\nabc")), "a field is longer than"));
}

// Protocol buffers by hand: texts and messages, numbers, floats.
std::string field(int number, const std::string& bytes) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 128; size >>= 7) text += static_cast<char>(size | 128);
  return (text += static_cast<char>(size)) += bytes;
}
std::string number_field(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}
std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}
std::string piece(const std::string& text, int type = 1, float score = -1.0f) {
  const auto bits = std::bit_cast<std::uint32_t>(score);
  return field(1, field(1, text) + "\x15" + little_endian(bits) + number_field(3, type));
}

struct Parts {
  std::string pieces = piece("</s>", 3) + piece("<unk>", 2) + piece("a");
  std::string trainer = number_field(3, 1);
  std::string normaliser = field(1, "identity");
  std::string more = {};
};

std::string reason(const Parts& parts) {
  try {
    parse_sentencepiece_model(parts.pieces + field(2, parts.trainer) + field(3, parts.normaliser) +
                              parts.more);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("tokenizer files: models that SentencePiece would stumble over are refused") {
  const std::string good = Parts().pieces;
  CHECK(reason({}) == "");
  CHECK(contains(reason({.pieces = piece("</s>", 3) + piece("<unk>", 2)}), "has no pieces"));
  CHECK(contains(reason({.pieces = piece("<unk>", 2) + piece("</s>", 3) + piece("a")}), "piece 0"));
  CHECK(contains(reason({.pieces = good + piece("b", 4)}), "piece 3 is of the wrong type"));
  CHECK(contains(reason({.pieces = good + piece("")}), "the text of piece 3"));
  CHECK(contains(reason({.pieces = good + piece("a")}), "two pieces are \"a\""));
  CHECK(contains(reason({.pieces = good + piece("</s>")}), "two pieces are \"</s>\""));
  CHECK(contains(reason({.pieces = good + piece("\xFF")}), "the text of piece 3"));
  CHECK(contains(reason({.pieces = good + piece("a\nb")}), "the text of piece 3"));
  CHECK(contains(reason({.pieces = good + piece(std::string(1, '\0'))}), "the text of piece 3"));
  CHECK(contains(reason({.pieces = good + piece(std::string(300, 'a'))}), "the text of piece 3"));
  CHECK(contains(reason({.pieces = good + piece("b", 1, NAN)}), "the score of piece 3"));
  CHECK(contains(reason({.pieces = good + piece("b", 1, -INFINITY)}), "the score of piece 3"));
  CHECK(contains(reason({.trainer = number_field(3, 3)}), "neither unigram nor BPE"));
  CHECK(contains(reason({.normaliser = number_field(3, 0)}), "an unknown setting"));
  CHECK(contains(reason({.more = field(4, "x")}), "field 4 of the model is unknown"));
  CHECK(contains(reason({.more = field(2, "")}), "field 2 of the model is unknown or repeated"));
}

TEST_CASE("tokenizer files: a normalisation table cannot lead out of itself") {
  const auto table = [](std::uint32_t unit, std::uint32_t leaf, const std::string& texts) {
    std::string trie = little_endian(unit);
    for (std::uint32_t p = 1; p < 256; ++p) trie += little_endian(p == 1 ? leaf : 0);
    return reason({.normaliser = field(2, little_endian(1024) + trie + texts)});
  };
  const std::string text("x\0", 2);
  constexpr std::uint32_t kOffset1 = 1u << 10, kHasLeaf = 1u << 8, kLeaf = 1u << 31;
  CHECK(table(kOffset1 | kHasLeaf, kLeaf | 1, text) == "");
  CHECK(contains(table(kOffset1 | kHasLeaf, kLeaf | 2, text), "points at no text"));
  CHECK(contains(table(kOffset1 * 256, 0, text), "leads out of itself"));
  CHECK(contains(table(kOffset1 | 1u << 9, 0, text), "leads out of itself"));
  CHECK(contains(table(0, 0, "x"), "texts are damaged"));
  CHECK(contains(table(0, 0, ""), "texts are damaged"));
  CHECK(contains(table(0, 0, std::string("\xFF\0", 2)), "texts are damaged"));
  CHECK(contains(reason({.normaliser = field(2, "abc")}), "is cut off"));
  CHECK(contains(reason({.normaliser = field(2, little_endian(9) + "12345678")}), "is cut off"));
  CHECK(contains(reason({.normaliser = field(2, little_endian(3) + "123" + text)}), "half a unit"));
}

}  // namespace
}  // namespace heddle::testing
