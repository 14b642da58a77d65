#include "data/checksum.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include "autograd/base/check.h"

namespace heddle {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t begun) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), begun);
}

namespace {

// Closed at its end.
struct Descriptor {
  explicit Descriptor(const std::filesystem::path& path)
      : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number;
};

}  // namespace

std::uint64_t checksum_of_file(const std::filesystem::path& path) {
  const auto check_read = [&](bool is_well) {
    check<FileError>(is_well, "cannot read ", path.string(), ": ",
                     std::generic_category().message(errno));
  };
  const Descriptor file(path);
  check_read(file.number >= 0);
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  if (state == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> block(std::size_t{1} << 20);
  while (const ssize_t bytes = ::read(file.number, block.data(), block.size())) {
    if (bytes < 0 && errno == EINTR) continue;
    check_read(bytes > 0);
    XXH3_64bits_update(state.get(), block.data(), static_cast<std::size_t>(bytes));
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace heddle
