#include "data/token_cache_format.h"

#include <cstring>

namespace heddle {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t begun) {
  // Odd, and without a pattern; every step is a bijection of `sum`.
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  std::uint64_t sum = begun ^ (bytes.size() * kMultiplier);
  const auto add = [&](std::uint64_t word) {
    sum = (sum ^ word) * kMultiplier;
    sum ^= sum >> 29;
  };
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    add(word);
    bytes = bytes.subspan(sizeof word);
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  add(rest);
  add(sum >> 32);
  return sum;
}

}  // namespace heddle
