#include "autograd/base/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

using heddle::philox;
using heddle::PhiloxCounter;
using heddle::random_stream;
using heddle::StepKey;

TEST_CASE("Philox 4x32-10 gives the published test vectors") {
  // kat_vectors of Random123 1.09, philox4x32 10.
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("every part of the key changes the stream") {
  const StepKey base{.seed = 7, .update = 3, .micro_batch = 1, .lane = 2};
  std::set<PhiloxCounter> seen;
  const auto add = [&](StepKey key, std::uint32_t op, std::uint32_t column, std::uint64_t row) {
    return seen.insert(random_stream(key, op)(column, row)).second;
  };
  CHECK(add(base, 0, 0, 0));
  StepKey other = base;
  other.seed += std::uint64_t{1} << 32;
  CHECK(add(other, 0, 0, 0));
  other = base;
  other.update = 4;
  CHECK(add(other, 0, 0, 0));
  other = base;
  other.micro_batch = 2;
  CHECK(add(other, 0, 0, 0));
  other = base;
  other.lane = 3;
  CHECK(add(other, 0, 0, 0));
  CHECK(add(base, 1, 0, 0));
  CHECK(add(base, 0, 1, 0));
  CHECK(add(base, 0, 0, 1));
  CHECK(add(base, 0, 0, std::uint64_t{1} << 32));
  CHECK_FALSE(add(base, 0, 0, 0));
}

TEST_CASE("uniform and normal deviates have their moments") {
  const auto stream = random_stream({.seed = 5}, 0);
  double sum = 0.0, squares = 0.0, normal_sum = 0.0, normal_squares = 0.0;
  const int count = 200000;
  for (int i = 0; i < count; ++i) {
    const PhiloxCounter bits = stream(0, static_cast<std::uint64_t>(i));
    const double u = heddle::unit_interval(bits[0], bits[1]);
    CHECK_UNARY(u >= 0.0);
    CHECK_UNARY(u < 1.0);
    sum += u;
    squares += u * u;
    for (const double z : heddle::normal_pair(bits)) {
      normal_sum += z;
      normal_squares += z * z;
    }
  }
  // Five standard errors.
  CHECK(std::abs(sum / count - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
  CHECK(std::abs(squares / count - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / count));
  CHECK(std::abs(normal_sum / (2 * count)) < 5 / std::sqrt(2.0 * count));
  CHECK(std::abs(normal_squares / (2 * count) - 1.0) < 5 * std::sqrt(2.0 / (2 * count)));
}
