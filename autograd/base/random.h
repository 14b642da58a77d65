// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
// easy as 1, 2, 3"). A number is a pure function of a key and a counter; there is no state to save,
// to share between threads or to lose at a restart.
//
// The key of one step is made from (seed, update, micro-batch, lane); an operation adds its own id,
// and the logical position of an element does the rest. See also autograd/kernels/dropout.h.
#pragma once

#include <array>
#include <cstdint>

namespace heddle {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline constexpr std::uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr std::uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr std::uint32_t kPhiloxWeyl0 = 0x9E3779B9;  // golden ratio
inline constexpr std::uint32_t kPhiloxWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
inline constexpr int kPhiloxRounds = 10;

/// 128 random bits for one counter.
constexpr PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kPhiloxMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
  return counter;
}

/// What the randomness of one forward pass depends on.
struct StepKey {
  std::uint64_t seed = 0;
  std::uint64_t update = 0;       // attempted updates, also those that were skipped
  std::uint32_t micro_batch = 0;  // within the update
  std::uint32_t lane = 0;         // global, over all processes

  friend bool operator==(const StepKey&, const StepKey&) = default;
};

/// The random numbers of one operation in one step: 128 bits for every 64-bit index.
struct RandomStream {
  PhiloxKey key{};
  std::uint32_t op = 0;  // which operation of the step

  constexpr PhiloxCounter operator()(std::uint32_t column, std::uint64_t row) const {
    return philox(
        {column, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32), op}, key);
  }
};

/// The stream of operation `op` in the step `step`.
constexpr RandomStream random_stream(const StepKey& step, std::uint32_t op) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const PhiloxCounter bits =
      philox({low(step.update), high(step.update), step.micro_batch, step.lane},
             {low(step.seed), high(step.seed)});
  return {{bits[0], bits[1]}, op};
}

/// A double in [0, 1) from 53 of 64 random bits.
constexpr double unit_interval(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

/// Two independent normal deviates N(0, 1) from 128 random bits (Box and Muller 1958).
std::array<double, 2> normal_pair(const PhiloxCounter& bits);

}  // namespace heddle
