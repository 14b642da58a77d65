// The right translations of a line, of which there may be several.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// Those of one line, at least one.
using References = std::vector<std::string>;

/// Appends the parts of a line between separators; an empty separator cuts nothing. Empty ones do
/// not count, as in sacreBLEU, unless there is no other: see if_none_the_empty_one().
void append_references(std::string_view line, std::string_view separator, References& references);

/// Where all parts of all files were empty.
void if_none_the_empty_one(References& references);

}  // namespace heddle
