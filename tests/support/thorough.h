// Tests that look at a sample, or at everything.
#pragma once

#include <cstdlib>
#include <string_view>

namespace heddle::testing {

/// Whether HEDDLE_THOROUGH=1 asks for everything, as scripts/check_all.sh does.
inline bool thorough() {
  const char* const value = std::getenv("HEDDLE_THOROUGH");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace heddle::testing
