// UTF-8 against the Unicode standard's own examples, and against a plain decoder of all characters.
#include "data/utf8.h"

#include <doctest/doctest.h>

#include <vector>

namespace heddle::testing {
namespace {

std::string utf8_of(std::uint32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

TEST_CASE("utf8: every character is read, and what only looks like one is not") {
  for (std::uint32_t c = 0; c < 0x120000; ++c) {
    const std::string text = utf8_of(c) + "x";
    const bool valid = c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
    const CodePoint first = first_code_point(text);
    if (first.valid != valid ||
        (valid && (first.value != c || first.bytes.size() + 1 != text.size())))
      FAIL_CHECK(c);
    if (first_invalid_byte(text).has_value() == valid) FAIL_CHECK(c);
  }
}

TEST_CASE("utf8: the position is that of the first byte that begins no character") {
  using std::string_literals::operator""s;
  CHECK_FALSE(first_invalid_byte(""));
  CHECK_FALSE(first_invalid_byte("grün \xF0\x9F\x98\x80 \0 x"s));
  CHECK(first_invalid_byte("\xFF") == 0);
  CHECK(first_invalid_byte("0123456789abcde\xE2\x82") == 15);  // cut off
  CHECK(first_invalid_byte("0123456789abcdef\x80") == 16);
  CHECK(first_invalid_byte("ü\xC0\x80") == 2);              // overlong
  CHECK(first_invalid_byte("ab\xED\xA0\x80") == 2);         // surrogate
  CHECK(first_invalid_byte("abc\xF4\x90\x80\x80 d") == 3);  // above U+10FFFF
  for (std::size_t at = 0; at < 40; ++at) {                 // wherever words of eight bytes begin
    std::string text(40, 'x');
    text[at] = '\x90';
    CHECK(first_invalid_byte(text) == at);
  }
}

TEST_CASE("utf8: invalid pieces are replaced as in the standard's table 3-8") {
  const std::string r(kReplacementCharacter);
  CHECK(with_replacements("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64") ==
        "a" + r + r + r + "b" + r + "c" + r + r + "d");
  CHECK(with_replacements("\xE0\x80\xAF") == r + r + r);
  CHECK(with_replacements("\xED\xA0\x80") == r + r + r);
  CHECK(with_replacements("\xF4\x91\x92\x93") == r + r + r + r);
  CHECK(with_replacements("schön") == "schön");
}

TEST_CASE("utf8: iteration gives every byte once, whatever the bytes are") {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      state = state * 1664525 + 1013904223;
      const std::uint32_t draw = state >> 16;
      // Bytes that begin or continue characters are more frequent than at random.
      text += static_cast<char>(draw % 3 == 0 ? 0x80 + draw / 3 % 0x40 : 0xC0 + draw / 3 % 0x40);
    }
    std::string joined;
    for (const CodePoint& c : CodePoints(text)) joined += c.bytes;
    CHECK(joined == text);
    CHECK_FALSE(first_invalid_byte(with_replacements(text)));
  }
  CHECK(CodePoints("").begin() == CodePoints("").end());
}

TEST_CASE("utf8: a part ends before a blank, else between characters, and is never empty") {
  CHECK(first_part("ab cd ef", 6) == 5);
  CHECK(first_part("ab cd ef", 4) == 2);
  CHECK(first_part(" abcdefg", 4) == 4);
  CHECK(first_part("ab\xE2\x98\x83x", 4) == 2);
  CHECK(first_part("a\xF0\x9F\x98\x80x", 4) == 1);
  CHECK(first_part("\x80\x80\x80\x80\x80\x80\x80", 4) == 1);
  CHECK(first_part("        ", 4) == 4);
}

TEST_CASE("utf8: what a terminal would obey is shown") {
  CHECK(visible("Grüße\t1\n2 \xF0\x9F\x98\x80") == "Grüße\t1\n2 \xF0\x9F\x98\x80");
  CHECK(visible("\x1B[31m\r\x7F") == "\\x1b[31m\\x0d\\x7f");
  CHECK(visible(std::string_view("\0", 1)) == "\\x00");
  CHECK(visible("\xC2\x9B"
                "1m\xC2\xA0") ==
        "\\xc2\\x9b"
        "1m\xC2\xA0");
  CHECK(visible("caf\xE9") == "caf\\xe9");
}

}  // namespace
}  // namespace heddle::testing
