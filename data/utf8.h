// UTF-8 as the Unicode standard defines it (table 3-7): no overlong forms, no surrogates, nothing
// above U+10FFFF. What is invalid is taken in the longest pieces that begin like a character, as
// browsers and Python do, and each piece stands for one U+FFFD.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "autograd/base/text_file.h"

namespace heddle {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view kUnknownText = "\xE2\x81\x87";           // U+2047
/// The encoding of two or four bytes a character that a text seems to be in, by its beginning, as
/// iconv calls it: "UTF-16LE" for example; empty where it is not.
std::string_view wide_encoding(std::string_view beginning);

/// What divides words, where they are those of a line as it is given.
inline constexpr std::string_view kBlanks = " \t";

/// `text` with what a terminal would obey (control characters but for tabs and ends of lines) and
/// what is invalid shown as bytes, \x1b for example: names of files, keys and sentences may be of
/// anybody.
std::string visible(std::string_view text);

/// A text without the mark in front.
constexpr std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

/// One character of a text, or one piece of it that is none.
struct CodePoint {
  std::string_view bytes;
  char32_t value = U'\uFFFD';  // so, too, where it is not valid
  bool valid = false;
};

/// The first code point of a text that is not empty.
CodePoint first_code_point(std::string_view text);

/// Where the first byte stands that begins no valid code point.
std::optional<std::size_t> first_invalid_byte(std::string_view text);

/// `text` with every invalid piece replaced by U+FFFD.
std::string with_replacements(std::string_view text);

/// Of a text of more than `longest` bytes, how many make its first part: those before the last
/// blank that is near enough, else whole characters. At least one; `longest` is at least 4.
std::size_t first_part(std::string_view text, std::size_t longest);

/// The code points of a text, for range-based loops.
class CodePoints {
 public:
  class Iterator {
   public:
    using value_type = CodePoint;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view text) : rest_(text) { read(); }
    const CodePoint& operator*() const { return current_; }
    Iterator& operator++() {
      rest_.remove_prefix(current_.bytes.size());
      read();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& i, std::default_sentinel_t) { return i.rest_.empty(); }

   private:
    void read() {
      if (!rest_.empty()) current_ = first_code_point(rest_);
    }
    std::string_view rest_;
    CodePoint current_;
  };

  explicit CodePoints(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view text_;
};

}  // namespace heddle
