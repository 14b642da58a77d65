// A binary says so where it meets a processor it was not built for, instead of dying of SIGILL.
//
// The check runs before any other initialiser of the program. It therefore lives in a file that is
// compiled for the oldest x86-64 processors (cpu.cpp, see CMakeLists.txt) and uses nothing from
// headers that other files could have compiled for newer ones: no string, no stream, no span. What
// the rest was built for is constant data (cpu_features.cpp). Elsewhere than on x86-64 nothing is
// checked.
#pragma once

#include <cstddef>

namespace heddle {

/// Exit code of a binary on the wrong processor, that of wrong usage.
inline constexpr int kWrongCpuExitCode = 2;

/// Names of the instruction sets that this binary was built for; a null pointer ends the list.
extern const char* const kBuiltForCpuFeatures[];

/// Fills `names` with the instruction sets that this processor has and a null pointer behind them,
/// at most `size` pointers in all. Only sets that matter to Heddle are listed.
void list_cpu_features(const char** names, std::size_t size);

/// Writes one sentence to `text`, cut to `size` with its final 0, that names what is in `built_for`
/// and not in `supported`, both ended by a null pointer. Returns whether anything is missing.
bool describe_missing_cpu_features(const char* const* built_for, const char* const* supported,
                                   char* text, std::size_t size);

/// Ends the program with that sentence on stderr and kWrongCpuExitCode where this processor lacks
/// anything. Runs by itself in every program that names it: call it first in main.
void require_supported_cpu();

}  // namespace heddle
