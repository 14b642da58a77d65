// "Did you mean ...?": the nearest of the known names, for error messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heddle {

/// `; did you mean "encoder"?` where a known name is within a third of the length in edits
/// (insertions, deletions, replacements, swaps of neighbours); otherwise nothing.
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace heddle
