// What the fuzz targets share: the input as text and as parts, files in a folder of memory, and
// what counts as an answer.
//
// A target gets bytes of anyone. Whatever they are, the code under test does its work or throws
// heddle::Error, which is a sentence for whoever gave the file. All else ends the process and is a
// finding: a sanitizer's report, any other exception (std::bad_alloc among them), an allocation
// that is too large, more memory or time than scripts/fuzz.sh allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/check.h"
#include "tests/support/temporary_folder.h"

namespace heddle::fuzz {

/// Of inputs that are several files or texts: what stands between two of them.
inline constexpr std::string_view kBetween = "\n=====\n";

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The parts between kBetween, at most `most`; what follows stays in the last one.
inline std::vector<std::string_view> parts_of(std::string_view input, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t end = input.find(kBetween);
    if (end == input.npos) break;
    parts.push_back(input.substr(0, end));
    input.remove_prefix(end + kBetween.size());
  }
  parts.push_back(input);
  return parts;
}

/// Below TMPDIR, which scripts/fuzz.sh puts into memory; it goes with the process.
inline const std::filesystem::path& folder() {
  static const testing::TemporaryFolder folder;
  return folder.path();
}

inline void write(const std::filesystem::path& path, std::string_view bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !written) std::abort();
}

/// Runs `action`; returns whether it did its work, false where it threw heddle::Error.
template <class Action>
bool answered(const Action& action) {
  try {
    action();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// What must hold whatever the input is.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace heddle::fuzz
