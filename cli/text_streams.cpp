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

int open_or_fail(const char* what, const std::string& path, int flags) {
  check<FileError>(!std::filesystem::is_directory(path), path, ": is a folder, not a file");
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  check<FileError>(descriptor >= 0, what, path, ": ", std::generic_category().message(errno));
  return descriptor;
}

bool is_standard_output(const std::string& path) {
  struct stat there, standard;
  return ::stat(path.c_str(), &there) == 0 && ::fstat(STDOUT_FILENO, &standard) == 0 &&
         there.st_dev == standard.st_dev && there.st_ino == standard.st_ino;
}

}  // namespace

Input::Input(const std::string& path) : name_(path.empty() ? "standard input" : path) {
  if (!path.empty()) descriptor_ = open_or_fail("cannot read ", path, O_RDONLY);
}

Input::~Input() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

Output::Output(const std::string& path) : name_(path.empty() ? "standard output" : path) {
  // Of a file that standard output goes to, a new one must not take the place.
  if (path.empty() || is_standard_output(path)) return;
  const bool there = std::filesystem::exists(path);
  if (there && !std::filesystem::is_regular_file(path)) {
    descriptor_ = open_or_fail("cannot write ", path, O_WRONLY);
  } else {
    file_.emplace(there ? std::filesystem::canonical(path) : std::filesystem::path(path));
  }
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
