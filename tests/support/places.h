// Where the tested program and the sources are. One file alone is compiled with these paths, so
// that all others are the same wherever the tree stands, for caches of compilers, too.
#pragma once

#include <string>

namespace heddle::testing {

/// The program `heddle`; empty in a build of the core alone.
const std::string& program();
/// The root of the tree.
const std::string& source_folder();

}  // namespace heddle::testing
