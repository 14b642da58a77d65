#include <doctest/doctest.h>

#include "tests/data/tokenizers.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

const std::string kCharacter = R"({"type": "character"})";

TEST_CASE("character tokenizer: code points by frequency, then by bytes") {
  const auto tokenizer = trained(kCharacter, {"bé a", "é 漢", "\t"});
  CHECK(tokenizer->serialised() == "heddle tokenizer 1\ncharacter\npieces 6\n \né\n\t\na\nb\n漢\n");
  CHECK(encoded(*tokenizer, "é 漢!") == Ids{3, 2, 7, 1});
}

TEST_CASE("character tokenizer: text comes back with all its blanks") {
  const Lines lines = small_text();
  const auto tokenizer = trained(kCharacter, lines);
  for (const std::string& line : lines) CHECK(there_and_back(*tokenizer, line) == line);
  CHECK(there_and_back(*tokenizer, "  große   Häuser ") == "  große   Häuser ");
  CHECK(there_and_back(*tokenizer, "Ätna") == "⁇tna");
}

TEST_CASE("character tokenizer: what is no UTF-8 is unknown, and not learned") {
  const auto tokenizer = trained(kCharacter, {"ab\xFF\xE2\x82"});
  CHECK(tokenizer->vocabulary().size == 3 + 2);
  CHECK(encoded(*tokenizer, "a\xFF\xE2\x82\x80\x62") == Ids{2, 1, 1, 3});
  CHECK_MESSAGE_THROWN(trained(kCharacter, {"\xFF", ""}), "the text holds no characters");
}

TEST_CASE("character tokenizer: vocab_size counts the special ids") {
  const auto tokenizer = trained(R"({"type": "character", "vocab_size": 4})", {"aab"});
  CHECK(tokenizer->vocabulary().size == 4);
  CHECK(there_and_back(*tokenizer, "ab") == "a⁇");
}

}  // namespace
}  // namespace heddle::testing
