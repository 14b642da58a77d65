// Rotary positions against plain loops over pairs, and the table against long double.
#include "autograd/kernels/rotary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;
using heddle::testing::worse_of;
using heddle::testing::worst_error;

struct RotarySize {
  std::int64_t tokens, heads, half, left_out;

  std::int64_t width() const { return heads * 2 * half; }
  std::int64_t columns() const { return width() + left_out; }
};
constexpr RotarySize kRotarySizes[] = {{1, 1, 1, 0},  {7, 2, 3, 5},   {9, 3, 8, 1},
                                       {5, 1, 16, 0}, {30, 4, 17, 9}, {600, 2, 20, 3},
                                       {3, 2, 64, 64}};

// Tokens that use the rows of a table in some order, several of them the same row.
template <class T>
struct Problem {
  RotarySize size;
  std::vector<std::int64_t> positions;
  std::vector<std::int32_t> rows;
  std::vector<T> table, x, dy;

  explicit Problem(RotarySize s)
      : size(s),
        positions{0, 1, 2, 3, 17, 1000},
        table(positions.size() * static_cast<std::size_t>(2 * s.half)),
        x(random_values<T>(s.tokens * s.columns(), 1)),
        dy(random_values<T>(s.tokens * s.width(), 2)) {
    for (std::int32_t i = 0; i < s.tokens; ++i) rows.push_back((i * 5 + 4) % 6);
    rotary_table<T>(positions, s.half, 10000.0, table.data(), 1);
  }
  RotaryShape shape() const {
    return {size.tokens, size.columns(), size.heads, size.half, rows.data()};
  }
  // result (+)= source turned by sign * angle, by equation 34, in double.
  template <class Source>
  void turn(double sign, const std::vector<Source>& source, std::int64_t source_ld,
            std::vector<double>& result, std::int64_t result_ld) const {
    for (std::int64_t i = 0; i < size.tokens; ++i) {
      for (std::int64_t pair = 0; pair < size.heads * size.half; ++pair) {
        const std::int64_t j = pair % size.half;
        const std::int64_t column = pair / size.half * 2 * size.half + j;
        const auto position =
            static_cast<double>(positions[static_cast<std::size_t>(rows.data()[i])]);
        const double angle =
            sign * position *
            std::pow(10000.0, -static_cast<double>(j) / static_cast<double>(size.half));
        const double a = source.data()[i * source_ld + column];
        const double b = source.data()[i * source_ld + column + size.half];
        double* const to = result.data() + i * result_ld + column;
        to[0] += a * std::cos(angle) - b * std::sin(angle);
        to[size.half] += a * std::sin(angle) + b * std::cos(angle);
      }
    }
  }
};

template <class T>
constexpr double kRotaryTolerance = sizeof(T) == 4 ? 4e-7 : 1e-15;

TEST_CASE_TEMPLATE("rotary equals plain loops, forward and backward", T, float, double) {
  for (const RotarySize size : kRotarySizes) {
    CAPTURE(size.tokens);
    CAPTURE(size.half);
    const Problem<T> p(size);
    std::vector<T> y(p.dy.size(), std::numeric_limits<T>::quiet_NaN());
    rotary<T>(p.shape(), p.table.data(), p.x.data(), y.data(), 1);
    std::vector<double> expected(y.size());
    p.turn(1.0, p.x, size.columns(), expected, size.width());
    CHECK(worst_error(y, expected) <= kRotaryTolerance<T>);

    // Over garbage, also in the columns that are left out; and added.
    std::vector<T> dx(p.x.size(), std::numeric_limits<T>::quiet_NaN());
    rotary_backward<T>(p.shape(), p.table.data(), p.dy.data(), {dx.data(), false}, 1);
    std::vector<double> expected_dx(dx.size());
    p.turn(-1.0, p.dy, size.width(), expected_dx, size.columns());
    CHECK(worst_error(dx, expected_dx) <= kRotaryTolerance<T>);
    dx = p.x;
    rotary_backward<T>(p.shape(), p.table.data(), p.dy.data(), {dx.data(), true}, 1);
    for (std::size_t i = 0; i < dx.size(); ++i) expected_dx[i] += static_cast<double>(p.x[i]);
    CHECK(worst_error(dx, expected_dx) <= 2 * kRotaryTolerance<T>);
    for (std::int64_t i = 0; i < size.tokens * size.columns(); ++i) {
      if (i % size.columns() >= size.width()) CHECK(dx.data()[i] == p.x.data()[i]);
    }
  }
}

TEST_CASE_TEMPLATE("rotary turns and keeps lengths", T, float, double) {
  const Problem<T> p({40, 2, 9, 0});
  std::vector<T> y(p.x.size()), back(p.x.size());
  rotary<T>(p.shape(), p.table.data(), p.x.data(), y.data(), 1);
  double before = 0.0, after = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    before += static_cast<double>(p.x[i]) * static_cast<double>(p.x[i]);
    after += static_cast<double>(y[i]) * static_cast<double>(y[i]);
  }
  CHECK(std::abs(after - before) <= 4 * kRotaryTolerance<T> * before);
  rotary_backward<T>(p.shape(), p.table.data(), y.data(), {back.data()}, 1);
  CHECK(worst_error(back, p.x) <= kRotaryTolerance<T>);
  CHECK(worst_error(y, p.x) > 0.1);
}

TEST_CASE_TEMPLATE("rotary has the same bits on any number of threads", T, float, double) {
  const Problem<T> p({700, 3, 21, 10});
  const auto run = [&](int threads) {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < 600; ++i) positions.push_back(i * 3);
    std::vector<T> result(positions.size() * 42);
    rotary_table<T>(positions, 21, 10000.0, result.data(), threads);
    std::vector<T> y(p.dy.size()), dx = p.x;
    rotary<T>(p.shape(), p.table.data(), p.x.data(), y.data(), threads);
    rotary_backward<T>(p.shape(), p.table.data(), p.dy.data(), {dx.data(), true}, threads);
    result.insert(result.end(), y.begin(), y.end());
    result.insert(result.end(), dx.begin(), dx.end());
    return result;
  };
  const std::vector<T> one = run(1);
  for (const int threads : {2, 3, 4}) CHECK(run(threads) == one);
}

TEST_CASE("the table is exact to the rounding of the angle, also far out") {
  constexpr std::int64_t kHalf = 16;
  const std::vector<std::int64_t> positions{0, 1, 511, 100000, 4294967293};
  std::vector<double> table(positions.size() * 2 * kHalf);
  std::vector<float> single(table.size());
  rotary_table<double>(positions, kHalf, 10000.0, table.data(), 1);
  rotary_table<float>(positions, kHalf, 10000.0, single.data(), 1);
  for (std::size_t r = 0; r < positions.size(); ++r) {
    double worst = 0.0;
    for (std::int64_t j = 0; j < kHalf; ++j) {
      const long double angle = static_cast<long double>(positions[r]) *
                                std::pow(10000.0L, -static_cast<long double>(j) / kHalf);
      const double* const entry = table.data() + r * 2 * kHalf + j;
      worst = worse_of(worst, std::abs(entry[0] - static_cast<double>(std::cos(angle))));
      worst = worse_of(worst, std::abs(entry[kHalf] - static_cast<double>(std::sin(angle))));
    }
    CHECK(worst <= 4e-16 * (1.0 + static_cast<double>(positions[r])));
  }
  for (std::size_t i = 0; i < table.size(); ++i) CHECK(single[i] == static_cast<float>(table[i]));
}

TEST_CASE("a row of the table does not depend on the other rows") {
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<float> together(8 * 12), alone(12);
  rotary_table<float>(all, 6, 10000.0, together.data(), 1);
  for (std::size_t r = 0; r < all.size(); ++r) {
    rotary_table<float>(std::span(all).subspan(r, 1), 6, 10000.0, alone.data(), 1);
    const auto row = together.begin() + static_cast<std::ptrdiff_t>(12 * r);
    CHECK(alone == std::vector<float>(row, row + 12));
  }
}

}  // namespace
}  // namespace heddle::kernels
