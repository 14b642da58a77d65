// A shuffled order of n things that needs no memory: P(i) is computed, not looked up.
//
// A Feistel network (Luby and Rackoff 1988) of eight rounds of Philox permutes the numbers of b
// bits, 2^b >= n; where the result is n or more it is permuted again until it is not ("cycle
// walking", Black and Rogaway 2002), which keeps it a bijection of [0, n). Since 2^b < 2 n for all
// but small n, that takes less than two walks on average.
#pragma once

#include <cstdint>

namespace heddle {

/// What an order is for: orders of the same seed for different purposes are independent.
enum class Shuffle : std::uint32_t { kEpoch, kHoldOut };

class Permutation {
 public:
  /// The order of `size` things, at least one, that belongs to (seed, purpose, round).
  Permutation(std::int64_t size, std::uint64_t seed, Shuffle purpose, std::uint64_t round = 0);

  /// What stands at `place`, both from 0 to size() - 1.
  std::int64_t operator()(std::int64_t place) const;
  std::int64_t size() const { return static_cast<std::int64_t>(size_); }

 private:
  std::uint64_t size_;
  std::uint64_t key_;
  int left_bits_, right_bits_;
};

}  // namespace heddle
