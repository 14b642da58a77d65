// A file as its bytes: read from front to back or at any place, and recognised again.
//
// The stamp (size and time of the last change) tells whether a file is the one that was read before
// without reading it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace heddle {

struct FileStamp {
  std::uint64_t size = 0;    // bytes
  std::int64_t changed = 0;  // nanoseconds since 1970

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// An open file. Throws FileError with the path and the system's reason, as all members do.
class CorpusFile {
 public:
  /// A file, or a pipe; waits for the writer of a pipe.
  explicit CorpusFile(std::filesystem::path path);
  ~CorpusFile();
  CorpusFile(const CorpusFile&) = delete;
  CorpusFile& operator=(const CorpusFile&) = delete;

  /// The next bytes, at most as many as fit; 0 at the end.
  std::size_t read(std::span<char> bytes);
  /// The bytes from `offset` on; fewer than asked for only at the end. Several threads may call it.
  std::size_t read_at(std::uint64_t offset, std::span<char> bytes) const;
  /// A pipe has neither stamp nor places.
  bool regular() const { return regular_; }
  FileStamp stamp() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  [[noreturn]] void fail_to_read(int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  bool regular_ = false;
};

}  // namespace heddle
