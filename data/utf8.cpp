#include "data/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace heddle {

namespace {

// What may follow a first byte: how many bytes, and the limits of the next one, which keep out
// overlong forms, surrogates and what lies above U+10FFFF.
struct Continuation {
  std::size_t bytes = 0;
  unsigned char least = 0x80, most = 0xBF;
};

constexpr Continuation continuation_of(unsigned char first) {
  if (first < 0xC2) return {};
  if (first < 0xE0) return {.bytes = 1};
  if (first == 0xE0) return {.bytes = 2, .least = 0xA0};
  if (first == 0xED) return {.bytes = 2, .most = 0x9F};
  if (first < 0xF0) return {.bytes = 2};
  if (first == 0xF0) return {.bytes = 3, .least = 0x90};
  if (first < 0xF4) return {.bytes = 3};
  if (first == 0xF4) return {.bytes = 3, .most = 0x8F};
  return {};
}

/// How many bytes from `at` on are ASCII, in steps of eight: most text is.
std::size_t ascii_words(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t end = at;
  for (std::uint64_t word = 0; end + sizeof(word) <= text.size(); end += sizeof(word)) {
    std::memcpy(&word, text.data() + end, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return end - at;
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {text.substr(0, 1), first, true};
  const Continuation next = continuation_of(first);
  if (next.bytes == 0) return {.bytes = text.substr(0, 1)};
  char32_t value = first & (0x3Fu >> next.bytes);
  for (std::size_t i = 1; i <= next.bytes; ++i) {
    const unsigned char least = i == 1 ? next.least : 0x80, most = i == 1 ? next.most : 0xBF;
    if (i == text.size() || byte(i) < least || byte(i) > most) return {.bytes = text.substr(0, i)};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  return {text.substr(0, next.bytes + 1), value, true};
}

std::optional<std::size_t> first_invalid_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    at += ascii_words(text, at);
    if (at == text.size()) break;
    const CodePoint c = first_code_point(text.substr(at));
    if (!c.valid) return at;
    at += c.bytes.size();
  }
  return std::nullopt;
}

std::string_view wide_encoding(std::string_view beginning) {
  const std::string_view text = beginning.substr(0, std::size_t{4} << 10);
  if (text.find('\0') == text.npos) return {};
  if (text.starts_with(std::string_view("\xFF\xFE\0\0", 4))) return "UTF-32LE";
  if (text.starts_with(std::string_view("\0\0\xFE\xFF", 4))) return "UTF-32BE";
  if (text.starts_with("\xFF\xFE")) return "UTF-16LE";
  if (text.starts_with("\xFE\xFF")) return "UTF-16BE";
  std::size_t even = 0, odd = 0;                  // zeros, by their place
  std::size_t little = 0, big = 0, one_byte = 0;  // ends of lines
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') ++(i % 2 == 0 ? even : odd);
    if (text[i] != '\n') continue;
    if (i % 2 == 0 && (i + 1 == text.size() || text[i + 1] == '\0')) {
      ++little;
    } else {
      ++(i % 2 == 1 && text[i - 1] == '\0' ? big : one_byte);
    }
  }
  const std::size_t tenths = 10 * (even + odd) / text.size();  // more than 8 are no text at all
  if (text.size() >= 8 && (tenths == 7 || tenths == 8)) {
    return text.front() == '\0' ? "UTF-32BE" : "UTF-32LE";
  }
  // In UTF-16, every second byte of Latin letters is zero; in other scripts, only those of blanks
  // and line ends are.
  const auto wide = [&](std::size_t zeros, std::size_t others, bool ends) {
    const bool most = zeros >= 4 && 4 * zeros >= text.size();
    return (most || (zeros >= 2 && ends && one_byte == 0)) && 10 * others <= zeros;
  };
  if (wide(odd, even, little > 0 && big == 0)) return "UTF-16LE";
  if (wide(even, odd, big > 0 && little == 0)) return "UTF-16BE";
  return {};
}

std::string with_replacements(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const CodePoint& c : CodePoints(text)) result += c.valid ? c.bytes : kReplacementCharacter;
  return result;
}

std::size_t first_part(std::string_view text, std::size_t longest) {
  const std::size_t blank = text.rfind(' ', longest);
  if (blank != text.npos && blank > 0) return blank;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
  };
  std::size_t end = longest;
  while (end + 3 > longest && continues(end)) --end;  // no character is longer
  return end;
}

namespace {

bool is_plain(const CodePoint& c) {
  const bool control = c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA0);
  return c.valid && (!control || c.value == '\n' || c.value == '\t');
}

}  // namespace

std::string visible(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const CodePoint& c : CodePoints(text)) {
    if (is_plain(c)) {
      result += c.bytes;
      continue;
    }
    for (const char byte : c.bytes) {
      const auto bits = static_cast<unsigned char>(byte);
      result.append("\\x").append({kDigits[bits >> 4], kDigits[bits & 15]});
    }
  }
  return result;
}

}  // namespace heddle
