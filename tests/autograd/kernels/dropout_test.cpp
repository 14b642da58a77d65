#include "autograd/kernels/dropout.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/random_values.h"

namespace {

using heddle::random_stream;
using heddle::kernels::Dropout;
using heddle::kernels::dropout_bits;
using heddle::kernels::dropout_keeps;
using heddle::kernels::kDropoutRows;
using heddle::testing::random_values;

Dropout with_probability(double p) {
  return Dropout(p, random_stream({7, 11, 2, 3}, 5));
}

template <class T>
std::vector<T> dropped(const Dropout& dropout, std::int64_t rows, std::int64_t columns,
                       const std::vector<T>& x, int threads) {
  std::vector<T> y(x.size(), std::numeric_limits<T>::quiet_NaN());
  heddle::kernels::dropout(dropout, rows, columns, x.data(), {y.data()}, threads);
  return y;
}

}  // namespace

TEST_CASE("dropout_bits equals dropout_keeps in every bit") {
  const Dropout dropout = with_probability(0.3);
  const std::array<std::uint64_t, 4> groups = {0, 1, 0x20000001, 0x123456789AULL};
  const std::array<std::uint32_t, 4> firsts = {0, 1, 37, 0xFFFFFFF0};
  for (const std::uint64_t group : groups) {
    for (const std::uint32_t first : firsts) {
      for (const std::int64_t count : {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 64, 100}) {
        std::vector<std::uint8_t> bits(static_cast<std::size_t>(count) + 1, 0xA5);
        dropout_bits(dropout, group, first, count, bits.data());
        int wrong = 0;
        for (std::int64_t c = 0; c < count; ++c) {
          for (int r = 0; r < kDropoutRows; ++r) {
            const bool kept = (bits.data()[c] >> r & 1) != 0;
            wrong += kept != dropout_keeps(dropout, group * 8 + static_cast<std::uint64_t>(r),
                                           first + static_cast<std::uint32_t>(c));
          }
        }
        CAPTURE(group);
        CAPTURE(first);
        CAPTURE(count);
        CHECK(wrong == 0);
        CHECK(bits.back() == 0xA5);
      }
    }
  }
}

TEST_CASE("dropout_bits follows the threshold at its ends") {
  for (const std::uint32_t threshold : {1U, 255U, 256U, 32768U, 65534U, 65535U}) {
    Dropout dropout = with_probability(0.5);
    dropout.threshold = threshold;
    int wrong = 0;
    for (std::uint64_t group = 0; group < 40; ++group) {
      std::array<std::uint8_t, 48> bits{};
      dropout_bits(dropout, group, 0, 48, bits.data());
      for (std::uint32_t c = 0; c < 48; ++c) {
        for (std::uint32_t r = 0; r < 8; ++r) {
          wrong += ((bits[c] >> r & 1) != 0) != dropout_keeps(dropout, group * 8 + r, c);
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("dropout keeps the stated fraction and is exact in expectation") {
  constexpr std::int64_t rows = 512;
  constexpr std::int64_t columns = 257;
  const std::vector<float> ones(rows * columns, 1.0F);
  for (const double p : {0.0, 0.1, 0.3, 0.5, 0.9}) {
    const Dropout dropout = with_probability(p);
    const double kept_share = 1.0 - dropout.threshold / 65536.0;
    CHECK(std::abs(kept_share - (1.0 - p)) <= 0.5 / 65536);
    CHECK(dropout.scale * kept_share == doctest::Approx(1.0).epsilon(1e-15));
    double kept = 0.0;
    int wrong = 0;
    for (const float y : dropped(dropout, rows, columns, ones, 1)) {
      kept += y != 0.0F;
      wrong += y != 0.0F && y != static_cast<float>(dropout.scale);
    }
    const double n = rows * columns;
    CAPTURE(p);
    CHECK(wrong == 0);
    CHECK(std::abs(kept - n * kept_share) <= 5.0 * std::sqrt(n * kept_share * (1.0 - kept_share)));
  }
}

TEST_CASE_TEMPLATE("dropout equals its definition, overwriting and adding", T, float, double) {
  for (const double p : {0.0, 0.25}) {
    const Dropout dropout = with_probability(p);
    for (const auto& size :
         {std::array<std::int64_t, 2>{1, 1}, {3, 5}, {8, 16}, {17, 33}, {20, 128}, {9, 4099}}) {
      const std::int64_t rows = size[0];
      const std::int64_t columns = size[1];
      const std::vector<T> x = random_values<T>(rows * columns, 3);
      const std::vector<T> y = dropped(dropout, rows, columns, x, 1);
      std::vector<T> sum(x.size(), T{2});
      heddle::kernels::dropout<T>(dropout, rows, columns, x.data(), {sum.data(), true}, 2);
      int wrong = 0;
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) {
          const bool keeps =
              dropout_keeps(dropout, static_cast<std::uint64_t>(r), static_cast<std::uint32_t>(c));
          const T value = x.data()[r * columns + c] * static_cast<T>(dropout.scale);
          wrong += y.data()[r * columns + c] != (keeps ? value : T{0});
          const T added = sum.data()[r * columns + c] - (T{2} + (keeps ? value : T{0}));
          wrong += std::abs(added) > T{4} * std::numeric_limits<T>::epsilon();
        }
      }
      CAPTURE(rows);
      CAPTURE(columns);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a dropped element is zero even where x is not finite") {
  const Dropout dropout = with_probability(0.5);
  const std::vector<float> x(8 * 40, std::numeric_limits<float>::infinity());
  int zeros = 0;
  for (const float y : dropped(dropout, 8, 40, x, 1)) {
    CHECK(!std::isnan(y));
    zeros += y == 0.0F;
  }
  CHECK(zeros > 0);
}

TEST_CASE("dropout has the same bits on any number of threads, and another mask in another step") {
  constexpr std::int64_t rows = 1003;
  constexpr std::int64_t columns = 70;
  const std::vector<float> x = random_values<float>(rows * columns, 4);
  const Dropout dropout = with_probability(0.1);
  const std::vector<float> y = dropped(dropout, rows, columns, x, 1);
  for (int threads = 2; threads <= 4; ++threads) {
    CHECK(dropped(dropout, rows, columns, x, threads) == y);
  }
  CHECK(dropped(Dropout(0.1, random_stream({7, 12, 2, 3}, 5)), rows, columns, x, 1) != y);
  CHECK(dropped(Dropout(0.1, random_stream({7, 11, 2, 3}, 6)), rows, columns, x, 1) != y);
}
