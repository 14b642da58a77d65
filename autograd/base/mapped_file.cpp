#include "autograd/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "autograd/base/check.h"

namespace heddle {

namespace {

/// An open file that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail_to_read(const std::filesystem::path& path, int error) {
  fail_with_code(error, "cannot read ", path.string());
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, MapMode mode) {
  // Non-blocking, so that a named pipe without a writer does not stop the program here.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value() < 0) fail_to_read(path, errno);
  struct stat status {};
  if (::fstat(file.value(), &status) != 0) fail_to_read(path, errno);
  check<FileError>(!S_ISDIR(status.st_mode), "cannot read ", path.string(), ": it is a directory");
  check<FileError>(S_ISREG(status.st_mode), "cannot read ", path.string(), ": not a regular file");
  if (status.st_size == 0) return;  // an empty mapping is an error to the system

  const auto size = static_cast<std::size_t>(status.st_size);
  const int access = mode == MapMode::kPrivate ? PROT_READ | PROT_WRITE : PROT_READ;
  void* memory = ::mmap(nullptr, size, access, MAP_PRIVATE, file.value(), 0);
  if (memory == MAP_FAILED) fail_to_read(path, errno);
  memory_ = static_cast<std::byte*>(memory);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

}  // namespace heddle
