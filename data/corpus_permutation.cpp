#include "data/corpus_permutation.h"

#include <algorithm>
#include <bit>

#include "autograd/base/check.h"
#include "autograd/base/random.h"

namespace heddle {

namespace {

constexpr int kRounds = 8;
// A network of a few bits can be little but a rotation; walking out of a larger one is as random as
// can be.
constexpr int kFewestBits = 8;

std::uint32_t low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}

std::uint32_t high(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

std::uint64_t random_bits(const PhiloxCounter& counter, std::uint64_t key) {
  const PhiloxCounter bits = philox(counter, {low(key), high(key)});
  return std::uint64_t{bits[1]} << 32 | bits[0];
}

}  // namespace

Permutation::Permutation(std::int64_t size, std::uint64_t seed, Shuffle purpose,
                         std::uint64_t round)
    : size_(static_cast<std::uint64_t>(size)),
      key_(random_bits({low(round), high(round), static_cast<std::uint32_t>(purpose), 0}, seed)) {
  check(size >= 1, "Permutation: of ", size, " things");
  const int bits = std::max(kFewestBits, static_cast<int>(std::bit_width(size_ - 1)));
  right_bits_ = bits / 2;
  left_bits_ = bits - right_bits_;
}

std::int64_t Permutation::operator()(std::int64_t place) const {
  const std::uint64_t left_mask = (std::uint64_t{1} << left_bits_) - 1;
  const std::uint64_t right_mask = (std::uint64_t{1} << right_bits_) - 1;
  auto value = static_cast<std::uint64_t>(place);
  do {
    std::uint64_t left = value >> right_bits_, right = value & right_mask;
    for (std::uint32_t round = 0; round < kRounds; round += 2) {
      left ^= random_bits({low(right), high(right), round, 0}, key_) & left_mask;
      right ^= random_bits({low(left), high(left), round + 1, 0}, key_) & right_mask;
    }
    value = left << right_bits_ | right;
  } while (value >= size_);
  return static_cast<std::int64_t>(value);
}

}  // namespace heddle
