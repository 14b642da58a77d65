// A file as its bytes: read from front to back or at any place, and recognised again.
//
// The stamp (size and time of the last change) tells whether a file is the one that was read before
// without reading it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "autograd/base/input_file.h"

namespace heddle {

/// Why a run needs regular files, for require_regular().
inline constexpr const char* kReadAgain =
    "a run reads its text several times; copy it into a file first";

struct FileStamp {
  std::uint64_t size = 0;    // bytes
  std::int64_t changed = 0;  // nanoseconds since 1970

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Throws FileError with the path and the system's reason, as all members do.
class CorpusFile : public InputFile {
 public:
  using InputFile::InputFile;

  /// The bytes from `offset` on; fewer than asked for only at the end. Several threads may call it.
  std::size_t read_at(std::uint64_t offset, std::span<char> bytes) const;
  /// A pipe has neither stamp nor places.
  FileStamp stamp() const;
};

}  // namespace heddle
