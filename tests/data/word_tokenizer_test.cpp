#include <doctest/doctest.h>

#include <sstream>

#include "data/utf8.h"
#include "tests/data/tokenizers.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

const std::string kWord = R"({"type": "word"})";

TEST_CASE("word tokenizer: the most frequent words come first, equal ones by their bytes") {
  const auto tokenizer = trained(kWord, {"b a  c", "\tz c ", "é c", "B"});
  CHECK(tokenizer->vocabulary().size == 9);
  CHECK(tokenizer->serialised() == "heddle tokenizer 1\nword\npieces 6\nc\nB\na\nb\nz\né\n");
  CHECK(encoded(*tokenizer, "c B a b z é q") == Ids{2, 3, 4, 5, 6, 7, 1});
}

TEST_CASE("word tokenizer: vocab_size and min_count limit the words") {
  const Lines lines = {"a a a b b c", "d"};
  CHECK(trained(R"({"type": "word", "vocab_size": 5})", lines)->serialised() ==
        "heddle tokenizer 1\nword\npieces 2\na\nb\n");
  CHECK(trained(R"({"type": "word", "min_count": 3})", lines)->serialised() ==
        "heddle tokenizer 1\nword\npieces 1\na\n");
  CHECK_MESSAGE_THROWN(trained(R"({"type": "word", "min_count": 4})", lines),
                       "tokenizer: the text holds no words that occur 4 times or more");
  CHECK_MESSAGE_THROWN(trained(kWord, {" ", "", "\t", "\xFF"}), "the text holds no words");
}

TEST_CASE("word tokenizer: blanks are spaces and tabs alone, and one space comes back") {
  const auto tokenizer = trained(kWord, {"a\u00A0b c\rd e\u2028f \r"});
  CHECK(tokenizer->vocabulary().size == 3 + 4);
  CHECK(there_and_back(*tokenizer, " c\rd \t a\u00A0b\t") == "c\rd a\u00A0b");
}

TEST_CASE("word tokenizer: known text comes back, in ids of pieces") {
  const Lines lines = small_text();
  const auto tokenizer = trained(kWord, lines);
  for (const std::string& line : lines) {
    CHECK(there_and_back(*tokenizer, line) == line);
    for (const std::int32_t id : encoded(*tokenizer, line)) {
      CHECK(id >= Vocabulary::kFirstPiece);
      CHECK(id < tokenizer->vocabulary().start());
    }
  }
}

TEST_CASE("word tokenizer: end and start give nothing, unknown gives a double question mark") {
  const auto tokenizer = trained(kWord, {"a b"});
  CHECK(tokenizer->decode(Ids{0, 2, 1, 3, 4, 0}) == "a ⁇ b");
  CHECK(there_and_back(*tokenizer, "x a") == "⁇ a");
  CHECK_MESSAGE_THROWN(tokenizer->decode(Ids{5}), "id 5 is not in a vocabulary of 5");
  CHECK_MESSAGE_THROWN(tokenizer->decode(Ids{-1}), "id -1");
}

TEST_CASE("word tokenizer: two texts are one source") {
  const auto both = trained(kWord, {"the cat", "le chat"});
  CHECK(both->vocabulary().size == 3 + 4);
}

}  // namespace
}  // namespace heddle::testing
