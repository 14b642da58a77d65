// Counts calls of operator new in this program.
#pragma once

#include <cstdint>

namespace heddle::testing {

/// Calls of any operator new since the program began, on all threads.
std::int64_t allocations();

}  // namespace heddle::testing
