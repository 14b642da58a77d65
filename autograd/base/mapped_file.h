// A file seen as memory, for reading and for use as a tensor's storage.
//
// Pages are read when they are touched. A private mapping can also be written: what is written
// stays in this process and never reaches the file. A file must not be cut short by others while it
// is mapped (the system answers an access with SIGBUS); files that are replaced by renaming, as
// AtomicFile does, are safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

namespace heddle {

enum class MapMode {
  kReadOnly,
  kPrivate,  // writable, copied page by page on the first write
};

class MappedFile {
 public:
  /// Maps the whole of a regular file; throws FileError with the path and the system's reason.
  MappedFile(const std::filesystem::path& path, MapMode mode);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::span<const std::byte> bytes() const { return {memory_, size_}; }

  /// The same bytes for writing. Precondition: mapped with MapMode::kPrivate.
  std::span<std::byte> writable_bytes() { return {memory_, size_}; }

 private:
  std::byte* memory_ = nullptr;  // aligned to a page; null for an empty file
  std::size_t size_ = 0;
};

}  // namespace heddle
