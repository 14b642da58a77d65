#include "data/checksum.h"

#include <xxhash.h>

namespace heddle {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t begun) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), begun);
}

}  // namespace heddle
