// Which characters are white space, for metrics and for what counts as an empty line.
#pragma once

#include <string_view>

namespace heddle {

/// White space as Python's str.split() and str.strip() know it, which the metrics are defined by.
bool is_white_space(char32_t c);

/// Whether there is anything but white space: a line without text is an empty one, whatever a
/// tokenizer would make of its blanks.
bool has_text(std::string_view line);

std::string_view without_trailing_space(std::string_view line);
/// Nor with white space in front.
std::string_view without_outer_space(std::string_view line);

}  // namespace heddle
