// A file that appears whole or not at all, also when the machine stops in between.
//
// Bytes go to `name.tmp.<pid>` in the same folder; commit() flushes them to the disk, renames the
// file to its name (which replaces an older one in one step) and flushes the folder. Without a
// commit the temporary file is removed and the older file stays as it was.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace heddle {

/// What is to be called `path` is written under this name: beside it, of this process alone.
std::filesystem::path temporary_name(std::filesystem::path path);
/// Whether this is such a name, of whichever process.
bool is_temporary_name(const std::filesystem::path& path);

/// Puts a file or a folder on the disk, as far as it can be opened: a folder may be written but not
/// listed, and is complete then, too. Throws FileError.
void flush_to_disk(const std::filesystem::path& path);
/// The same of the folder that `path` is in, and with that of its name.
void flush_name(const std::filesystem::path& path);

class AtomicFile {
 public:
  /// Throws FileError with the path and the system's reason, as all members do. At most one
  /// AtomicFile of a process may write a given path at a time.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);

  /// Gives the file its name; after that nothing can be written.
  void commit();

 private:
  [[noreturn]] void fail_to_write(int error) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

}  // namespace heddle
