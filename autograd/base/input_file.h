// A file that a user named, opened for reading: the one place where such files are opened.
//
// It may be a regular file, a pipe, /dev/stdin, a process substitution or a device. Whoever reads
// it once, from front to back, takes any of these; whoever needs it twice, or at a place, calls
// require_regular() first.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace heddle {

/// Throws FileError where a path leads to a pipe or a device, before it is opened, which might wait
/// for a writer; `why` completes "it is not a regular file, and ...". What is not there passes.
void require_regular(const std::filesystem::path& path, const char* why);

/// Throws FileError with the path and the system's reason, as all members do.
class InputFile {
 public:
  /// Waits for the writer of a named pipe.
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// The next bytes, at most as many as fit; 0 at the end.
  std::size_t read(std::span<char> bytes);
  /// All bytes that are left, but no more than `most`.
  std::string read_text(std::size_t most);

  /// Anything else can be read once only, from front to back.
  bool regular() const { return regular_; }

  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

 protected:
  [[noreturn]] void fail_to_read(int error) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool regular_ = false;
};

}  // namespace heddle
