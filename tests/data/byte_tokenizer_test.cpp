#include <doctest/doctest.h>

#include "data/utf8.h"
#include "tests/data/tokenizers.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

std::unique_ptr<Tokenizer> bytes() {
  return trained(R"({"type": "byte"})", {});
}

TEST_CASE("byte tokenizer: byte b is id 2 + b, whatever it is") {
  const auto tokenizer = bytes();
  CHECK(tokenizer->vocabulary().size == 259);
  CHECK(tokenizer->serialised() == "heddle tokenizer 1\nbyte\n");
  for (int b = 0; b < 256; ++b) {
    CHECK(encoded(*tokenizer, std::string(1, static_cast<char>(b))) == Ids{2 + b});
  }
}

TEST_CASE("byte tokenizer: every line of UTF-8 comes back as it was") {
  const auto tokenizer = bytes();
  for (const std::string& line : small_text()) CHECK(there_and_back(*tokenizer, line) == line);
  for (const std::string& line : hostile_lines()) {
    CHECK(there_and_back(*tokenizer, line) == with_replacements(line));
  }
}

TEST_CASE("byte tokenizer: any ids are one line of UTF-8") {
  const auto tokenizer = bytes();
  const Ids cut = {2 + 0xE2, 2 + 0x82, 0, 258};
  CHECK(tokenizer->decode(cut) == kReplacementCharacter);
  CHECK(tokenizer->decode(Ids{2 + 'a', 2 + '\n', 1, 2 + 'b'}) == "a\uFFFD⁇b");
  CHECK_MESSAGE_THROWN(tokenizer->decode(Ids{259}), "id 259 is not in a vocabulary of 259");
}

}  // namespace
}  // namespace heddle::testing
