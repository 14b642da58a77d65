#include "data/corpus_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace heddle {

std::size_t CorpusFile::read_at(std::uint64_t offset, std::span<char> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(descriptor(), bytes.data() + done, bytes.size() - done,
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
  if (::fstat(descriptor(), &status) != 0) fail_to_read(errno);
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return {static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

}  // namespace heddle
