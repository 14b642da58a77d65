// Small files as strings.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace heddle {

/// What some programs begin files with: U+FEFF in UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// The bytes of a file of at most 256 MiB. Throws FileError with the path and the reason.
std::string read_text(const std::filesystem::path& path);

/// Writes the file whole or not at all (AtomicFile).
void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace heddle
