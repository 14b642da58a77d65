// Reproducible random numbers for tests.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/base/random.h"

namespace heddle::testing {

/// `count` values, uniform in [low, high), from `seed`.
template <class T = double>
std::vector<T> random_values(std::int64_t count, std::uint64_t seed, double low = -1.0,
                             double high = 1.0) {
  const RandomStream stream = random_stream({.seed = seed}, 0);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const PhiloxCounter bits = stream(0, i);
    values[i] = static_cast<T>(low + (high - low) * unit_interval(bits[0], bits[1]));
  }
  return values;
}

/// `count` values as a view that the constructor of a tensor accepts.
template <class T>
std::span<const T> view(const std::vector<T>& values) {
  return values;
}

}  // namespace heddle::testing
