// OpenBLAS takes a buffer for each thread of OpenMP when it is loaded, before main(), and where the
// address space is too short for one (ulimit -v, as batch systems set it) it tries for ever. What
// stands in the section .preinit_array of a program runs before that: it says what is missing, and
// ends the process.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/exit_codes.h"

namespace heddle {

namespace {

// A buffer (32 << 22 bytes in the OpenBLAS of Debian 12), and what the C++ runtime and the other
// libraries take until main().
constexpr std::uint64_t kBuffer = std::uint64_t{128} << 20;
constexpr std::uint64_t kOthers = std::uint64_t{16} << 20;

/// As many as OpenBLAS prepares for: OMP_NUM_THREADS, at most the processors of the machine.
std::uint64_t threads_of_openblas(char** environment) {
  constexpr char kName[] = "OMP_NUM_THREADS=";
  const long processors = std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF));
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, kName, sizeof kName - 1) != 0) continue;
    const long asked = std::strtol(*entry + sizeof kName - 1, nullptr, 10);
    if (asked > 0) return static_cast<std::uint64_t>(std::min(asked, processors));
  }
  return static_cast<std::uint64_t>(processors);
}

/// Bytes of address space that this process has taken; 0 if the system does not say. Nothing but
/// system calls: not even the C library's streams are ready.
std::uint64_t address_space_taken() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[64] = {};
  const ssize_t length = ::read(file, text, sizeof text - 1);
  ::close(file);
  std::uint64_t pages = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; ++i) {
    pages = 10 * pages + static_cast<std::uint64_t>(text[i] - '0');
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void check_address_space(int /*argc*/, char** /*argv*/, char** environment) {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::uint64_t threads = threads_of_openblas(environment);
  const std::uint64_t needed = address_space_taken() + kOthers + threads * kBuffer;
  if (limit.rlim_cur >= needed) return;
  char sentence[200];
  const int length =
      std::snprintf(sentence, sizeof sentence,
                    "heddle: the address space is limited to %llu MB, but at least %llu MB are "
                    "needed: raise ulimit -v%s\n",
                    static_cast<unsigned long long>(limit.rlim_cur >> 20),
                    static_cast<unsigned long long>((needed + (1 << 20) - 1) >> 20),
                    threads > 1 ? ", or set OMP_NUM_THREADS=1 to need less" : "");
  const ssize_t written = ::write(STDERR_FILENO, sentence, static_cast<std::size_t>(length));
  ::_exit(written == length ? kMemory : kInternal);
}

}  // namespace

}  // namespace heddle

[[gnu::section(".preinit_array"),
  gnu::used]] static void (*const before_all_libraries)(int, char**,
                                                        char**) = heddle::check_address_space;
