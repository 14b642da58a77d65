// The seal of a checkpoint: its state.json tells the size and the checksum of every file beside it,
// and in its last line its own, so that damage is seen before anything is made of it.
//
// Checksums are XXH3 with 64 bits, in hexadecimal: those of files are what `xxhsum -H3` prints.
// That of state.json is of its text up to the comma before that line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "autograd/base/check.h"

namespace heddle {

/// A checkpoint that will never be whole again; other errors of files may pass.
class Damaged : public FileError {
  using FileError::FileError;
};

inline constexpr const char* kStateFile = "state.json";
/// In state.json as "format". Those of before version 4 have no seal.
inline constexpr int kStateFormat = 4;

/// Writes state.json: `object`, which is JSON, and the seal of all that `folder` holds. Throws
/// FileError.
void write_sealed(const std::filesystem::path& folder, std::string_view object);

/// The text of a state.json. Throws FileError where it is not what was written; whether it is of
/// another version is for the caller to see.
std::string read_sealed(const std::filesystem::path& file);

/// Throws FileError with the first file that is not what it was when the checkpoint was written, or
/// is gone; `except` is not looked at. What has no state.json, a mean of checkpoints for example,
/// or an earlier one, has no seal to verify.
void verify_files(const std::filesystem::path& folder, std::string_view except = "");

}  // namespace heddle
