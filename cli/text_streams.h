// Where a verb reads its lines and writes its answers: a file, or a standard stream.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "autograd/base/atomic_file.h"
#include "autograd/base/input_file.h"
#include "cli/named_files.h"

namespace heddle {

/// A file, or standard input where the path is empty.
class Input {
 public:
  /// Throws FileError where it cannot be read.
  explicit Input(const std::string& path);

  int descriptor() const { return file_ ? file_->descriptor() : STDIN_FILENO; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::optional<InputFile> file_;
};

/// A file that appears whole at the end; or at once what is no regular file, as standard output,
/// which an empty path means.
class Output {
 public:
  /// `option` names it in usage errors: where it is one of the inputs. Throws FileError where it
  /// cannot be written, as write() does.
  Output(const std::string& option, const std::filesystem::path& path, const InputFiles& inputs);
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

/// How many lines to work on at a time: as many as took a second before, so that answers come
/// steadily and a reader who has gone away is noticed soon; enough to sort them by length.
class Window {
 public:
  std::size_t lines() const { return lines_; }

  void begin() { begin_ = Clock::now(); }
  /// `lines` have been worked on since begin().
  void end(std::size_t lines);

 private:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kFewest = 64, kMost = 2048;

  std::size_t lines_ = kFewest;
  Clock::time_point begin_;
};

}  // namespace heddle
