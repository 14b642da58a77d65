// Which Heddle this is.
#pragma once

#include <string>

namespace heddle {

/// For example "0.1.0".
const char* version();

/// Version, build, compiler and the libraries that multiply: what decides the bits of results.
std::string version_text();

}  // namespace heddle
