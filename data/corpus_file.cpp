#include "data/corpus_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "autograd/base/check.h"

namespace heddle {

CorpusFile::CorpusFile(std::filesystem::path path) : path_(std::move(path)) {
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

CorpusFile::~CorpusFile() {
  ::close(descriptor_);
}

std::size_t CorpusFile::read(std::span<char> bytes) {
  while (true) {
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail_to_read(errno);
  }
}

std::size_t CorpusFile::read_at(std::uint64_t offset, std::span<char> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read(errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

FileStamp CorpusFile::stamp() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail_to_read(errno);
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return {static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

void CorpusFile::fail_to_read(int error) const {
  fail_with_code(error, "cannot read ", path_.string());
}

}  // namespace heddle
