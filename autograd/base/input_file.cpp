#include "autograd/base/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "autograd/base/check.h"

namespace heddle {

void require_regular(const std::filesystem::path& path, const char* why) {
  struct stat status {};
  const bool other =
      ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  check<FileError>(!other, "cannot read ", path.string(), ": it is not a regular file, and ", why);
}

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_to_read(errno);
  struct stat status {};
  const int error = ::fstat(descriptor_, &status) != 0 ? errno : 0;
  regular_ = S_ISREG(status.st_mode);
  if (error == 0 && !S_ISDIR(status.st_mode)) return;
  ::close(descriptor_);
  if (error != 0) fail_to_read(error);
  fail<FileError>("cannot read ", path_.string(), ": it is a directory");
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

std::size_t InputFile::read(std::span<char> bytes) {
  while (true) {
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) {  // a device that does not wait
      pollfd readable{.fd = descriptor_, .events = POLLIN, .revents = 0};
      ::poll(&readable, 1, -1);
    } else if (errno != EINTR) {
      fail_to_read(errno);
    }
  }
}

std::string InputFile::read_text(std::size_t most) {
  constexpr std::size_t kPart = std::size_t{64} << 10;
  std::string text;
  for (std::size_t size = 0; size < most;) {
    text.resize(std::min(most, size + kPart));
    const std::size_t count = read(std::span(text).subspan(size));
    size += count;
    text.resize(size);
    if (count == 0) break;
  }
  return text;
}

void InputFile::fail_to_read(int error) const {
  fail_with_code(error, "cannot read ", path_.string());
}

}  // namespace heddle
