#include "autograd/base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "autograd/base/check.h"

namespace heddle {

namespace {
// Linux writes at most about 2 GiB in one call.
constexpr std::size_t kLargestWrite = std::size_t{1} << 30;
constexpr std::string_view kTemporary = ".tmp.";
}  // namespace

std::filesystem::path temporary_name(std::filesystem::path path) {
  path += std::string(kTemporary) + std::to_string(::getpid());
  return path;
}

bool is_temporary_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::size_t mark = name.rfind(kTemporary);
  if (mark == name.npos || mark == 0) return false;
  const std::string_view process = std::string_view(name).substr(mark + kTemporary.size());
  return !process.empty() && process.find_first_not_of("0123456789") == process.npos;
}

void flush_to_disk(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    // A folder that may be written to need not be readable.
    if (errno != EACCES) fail_with_code(errno, "cannot open ", path.string());
    return;
  }
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some file systems cannot flush folders, and have different ways to say so.
  const bool cannot_flush = error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
  if (error != 0 && !cannot_flush) fail_with_code(error, "cannot write ", path.string());
}

void flush_name(const std::filesystem::path& path) {
  flush_to_disk(path.has_parent_path() ? path.parent_path() : ".");
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  // A process with the same id that was killed may have left one behind: in containers ids repeat.
  ::unlink(temporary_.c_str());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const auto* next = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, next, std::min(bytes, kLargestWrite));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(errno);
    if (written == 0) fail_to_write(ENOSPC);
    next += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_to_write(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_to_write(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(errno);
  committed_ = true;
  flush_name(path_);
}

void AtomicFile::fail_to_write(int error) const {
  fail_with_code(error, "cannot write ", path_.string());
}

}  // namespace heddle
