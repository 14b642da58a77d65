// Resolved configs as text: a part of one, and how two of them differ.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace heddle {

/// The JSON of the value at a pointer like "/data/tokenizer", in one layout.
std::string resolved_part(const std::string& config, const std::string& pointer);
/// The same of a file; throws FileError where it is damaged.
std::string resolved_part(const std::filesystem::path& file, const std::string& pointer);

/// The number at a pointer; 0 where there is none.
double resolved_number(const std::filesystem::path& file, const std::string& pointer);

/// Throws ConfigError naming all keys in which a run cannot go on with `now` where it began with
/// the file `before`. What only says when a run ends, reports and saves may change, and so may the
/// paths of its text.
void check_resumable(const std::filesystem::path& before, const std::string& now);

}  // namespace heddle
