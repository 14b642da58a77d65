#include "data/white_space.h"

#include <algorithm>

#include "data/utf8.h"

namespace heddle {

bool is_white_space(char32_t c) {
  constexpr char32_t kSingle[] = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || (c >= 0x2000 && c <= 0x200A) ||
         std::ranges::find(kSingle, c) != std::end(kSingle);
}

bool has_text(std::string_view line) {
  return std::ranges::any_of(CodePoints(line),
                             [](const CodePoint& c) { return !is_white_space(c.value); });
}

std::string_view without_trailing_space(std::string_view line) {
  std::size_t end = 0, at = 0;
  for (const CodePoint& c : CodePoints(line)) {
    at += c.bytes.size();
    if (!is_white_space(c.value)) end = at;
  }
  return line.substr(0, end);
}

std::string_view without_outer_space(std::string_view line) {
  std::size_t begin = 0;
  for (const CodePoint& c : CodePoints(line)) {
    if (!is_white_space(c.value)) break;
    begin += c.bytes.size();
  }
  return without_trailing_space(line.substr(begin));
}

}  // namespace heddle
