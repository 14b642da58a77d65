// Where a verb reads its lines and writes its answers: a file, or a standard stream.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>

#include "autograd/base/atomic_file.h"

namespace heddle {

/// A file, or standard input where the path is empty.
class Input {
 public:
  /// Throws FileError where it cannot be read.
  explicit Input(const std::string& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int descriptor_ = STDIN_FILENO;
};

/// A file that appears whole at the end; or at once what is no regular file, as standard output,
/// which an empty path means.
class Output {
 public:
  /// Throws FileError where it cannot be written, as write() does.
  explicit Output(const std::string& path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const std::string& text);
  void finish();

 private:
  std::string name_;
  int descriptor_ = STDOUT_FILENO;
  std::optional<AtomicFile> file_;
};

}  // namespace heddle
