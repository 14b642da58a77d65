// Words for a POSIX shell: what hints print is there to be pasted.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace heddle {

/// `word` as a shell reads it, in quotes only where it needs them. What a terminal would obey, and
/// what is not UTF-8, is written as escapes.
std::string shell_quoted(std::string_view word);

/// The same of a path, which no command takes for an option.
std::string shell_path(const std::filesystem::path& path);

}  // namespace heddle
