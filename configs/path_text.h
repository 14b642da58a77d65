// Paths as text in JSON, which is UTF-8, while the name of a file may be any bytes.
//
// A path that is not UTF-8 is written as a URI, file:///home/caf%E9/train.en, and any path may be
// given so.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace heddle {

bool is_utf8(const std::string& text);

/// `path`, or its URI where it is not UTF-8. It must be absolute.
std::string text_of_path(const std::filesystem::path& path);

/// The path that a text means.
std::filesystem::path path_of_text(std::string_view text);

}  // namespace heddle
