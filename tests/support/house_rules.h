// The rules of the house (floors, sizes, habits) over a tree of sources, real or made up for a
// test. Every function returns its violations, one sentence each; none is good.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace heddle::testing {

/// Text of every source by its path from the root, as in "autograd/tape.h".
using SourceTree = std::map<std::string, std::string>;
using Violations = std::vector<std::string>;

inline constexpr int kMaxFileLines = 400;
inline constexpr int kMaxFunctionLines = 80;
inline constexpr std::size_t kMaxBuildFileColumns = 110;

/// Upward and sideways includes, quoted paths that are not whole, folders on no floor.
Violations check_includes(const SourceTree& tree);

/// Headers that include each other in a circle, one sentence for each circle found.
Violations check_cycles(const SourceTree& tree);

/// Files and functions that are too long.
Violations check_sizes(const SourceTree& tree);

/// Headers without #pragma once, `using namespace`, macros, JSON in headers, more than one file
/// that sets OpenMP's number of threads.
Violations check_habits(const SourceTree& tree);

/// Lines of a CMake file that are too long, name two sources or ask for unsafe arithmetic.
Violations check_build_file(const std::string& path, const std::string& text);

}  // namespace heddle::testing
