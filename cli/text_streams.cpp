#include "cli/text_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "autograd/base/check.h"

namespace heddle {

namespace {

/// Whether standard output goes to the file `path`, or `path` is empty, which means standard
/// output. Such a file is written in place: a new file must not replace it.
bool is_standard_output(const std::filesystem::path& path, const InputFiles& inputs) {
  struct stat there {
  }, standard{};
  const bool open = ::fstat(STDOUT_FILENO, &standard) == 0;
  if (!path.empty()) {
    if (!open || ::stat(path.c_str(), &there) != 0) return false;
    if (there.st_dev != standard.st_dev || there.st_ino != standard.st_ino) return false;
  }
  if (open && S_ISREG(standard.st_mode)) {
    inputs.refuse_as_output("standard output", "", standard.st_dev, standard.st_ino);
  }
  return true;
}

}  // namespace

Input::Input(const std::string& path) : name_(path.empty() ? "standard input" : path) {
  if (!path.empty()) file_.emplace(path);
}

Output::Output(const std::string& option, const std::filesystem::path& path,
               const InputFiles& inputs)
    : name_(path.empty() ? "standard output" : path.string()) {
  if (is_standard_output(path, inputs)) return;
  const std::filesystem::path target = output_path(option, path, inputs);
  std::error_code error;
  if (!std::filesystem::exists(target, error) || std::filesystem::is_regular_file(target, error)) {
    file_.emplace(target);
    return;
  }
  descriptor_ = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  check<FileError>(descriptor_ >= 0, "cannot write ", name_, ": ",
                   std::generic_category().message(errno));
}

Output::~Output() {
  if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

void Output::write(const std::string& text) {
  if (file_) return file_->write(text.data(), text.size());
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // a pipe that does not wait
      pollfd writable{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
      continue;
    }
    check<FileError>(count >= 0, "cannot write to ", name_, ": ",
                     std::generic_category().message(errno));
    done += static_cast<std::size_t>(count);
  }
}

void Output::finish() {
  if (file_) file_->commit();
}

void Window::end(std::size_t lines) {
  const std::chrono::duration<double> seconds = Clock::now() - begin_;
  const double in_a_second = static_cast<double>(lines) / std::max(seconds.count(), 1e-6);
  lines_ = static_cast<std::size_t>(
      std::clamp(in_a_second, static_cast<double>(kFewest), static_cast<double>(kMost)));
}

}  // namespace heddle
