// The functions of autograd/kernels/axes.h.
#include "autograd/kernels/axes.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <vector>

#include "tests/support/random_values.h"

namespace {

using heddle::kernels::AxisPair;
using heddle::kernels::GatherShape;
using heddle::testing::random_values;

template <class T>
std::vector<T> filled(std::int64_t count, bool add) {
  return std::vector<T>(static_cast<std::size_t>(count),
                        add ? T{2} : std::numeric_limits<T>::quiet_NaN());
}

template <class T>
int wrong_after_swap(const AxisPair& s, bool add, int threads) {
  const std::int64_t count = s.outer * s.a * s.middle * s.b * s.inner;
  const std::vector<T> x = random_values<T>(count, 1);
  std::vector<T> y = filled<T>(count, add);
  heddle::kernels::swap_axes<T>(s, x.data(), {y.data(), add}, threads);
  int wrong = 0;
  for (std::int64_t o = 0; o < s.outer; ++o) {
    for (std::int64_t i = 0; i < s.a; ++i) {
      for (std::int64_t m = 0; m < s.middle; ++m) {
        for (std::int64_t j = 0; j < s.b; ++j) {
          for (std::int64_t e = 0; e < s.inner; ++e) {
            const T from = x.data()[(((o * s.a + i) * s.middle + m) * s.b + j) * s.inner + e];
            const T to = y.data()[(((o * s.b + j) * s.middle + m) * s.a + i) * s.inner + e];
            wrong += to != (add ? T{2} + from : from);
          }
        }
      }
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE_TEMPLATE("swap_axes moves every element", T, float, double) {
  for (const AxisPair& s : {AxisPair{1, 1, 1, 1, 1},
                            {1, 16, 1, 16, 1},
                            {2, 70, 1, 33, 1},
                            {3, 5, 1, 130, 1},
                            {1, 129, 1, 64, 1},
                            {1, 150, 1, 1024, 1},  // columns share cache sets: of x, then of y
                            {1, 1024, 1, 85, 1},
                            {2, 17, 3, 20, 1},
                            {2, 5, 3, 4, 7},
                            {3, 9, 1, 4, 32},
                            {1, 2, 5, 3, 1},
                            {0, 4, 1, 4, 1}}) {
    for (const bool add : {false, true}) {
      CAPTURE(s.outer);
      CAPTURE(s.a);
      CAPTURE(s.middle);
      CAPTURE(s.b);
      CAPTURE(s.inner);
      CHECK(wrong_after_swap<T>(s, add, 1) == 0);
      CHECK(wrong_after_swap<T>(s, add, 3) == 0);
    }
  }
}

TEST_CASE("transpose_matrices is the swap of the last two axes, and its own inverse") {
  const std::vector<float> x = random_values<float>(3 * 50 * 35, 2);
  std::vector<float> y(x.size());
  std::vector<float> back(x.size());
  heddle::kernels::transpose_matrices<float>(3, 50, 35, x.data(), {y.data()}, 2);
  for (std::int64_t n = 0; n < 3; ++n) {
    for (std::int64_t i = 0; i < 50; ++i) {
      for (std::int64_t j = 0; j < 35; ++j) {
        CHECK(y.data()[(n * 35 + j) * 50 + i] == x.data()[(n * 50 + i) * 35 + j]);
      }
    }
  }
  heddle::kernels::transpose_matrices<float>(3, 35, 50, y.data(), {back.data()}, 1);
  CHECK(back == x);
}

TEST_CASE_TEMPLATE("copy_range writes its range and nothing else", T, float, double) {
  for (const std::int64_t inner : {1, 5, 64}) {
    const std::vector<T> x = random_values<T>(4 * 9 * inner, 3);
    for (const bool add : {false, true}) {
      for (int threads = 1; threads <= 3; ++threads) {
        std::vector<T> y(static_cast<std::size_t>(4 * 7 * inner), T{2});
        heddle::kernels::copy_range<T>(4, 3, inner, x.data(), {9, 5}, {y.data(), add}, {7, 2},
                                       threads);
        int wrong = 0;
        for (std::int64_t o = 0; o < 4; ++o) {
          for (std::int64_t k = 0; k < 7; ++k) {
            for (std::int64_t e = 0; e < inner; ++e) {
              const bool inside = k >= 2 && k < 5;
              const T from = inside ? x.data()[(o * 9 + 5 + k - 2) * inner + e] : T{0};
              const T expected = inside ? (add ? T{2} + from : from) : T{2};
              wrong += y.data()[(o * 7 + k) * inner + e] != expected;
            }
          }
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("copy_range cuts long runs between threads") {
  const std::vector<float> x = random_values<float>(2 * 50'000, 4);
  std::vector<float> y(x.size());
  heddle::kernels::copy_range<float>(2, 50'000, 1, x.data(), {50'000, 0}, {y.data()}, {50'000, 0},
                                     4);
  CHECK(y == x);
}

TEST_CASE("copy_range and clear_outside together are the gradient of a slice") {
  const std::vector<float> dy = random_values<float>(3 * 2 * 5, 5);
  std::vector<float> dx = filled<float>(3 * 6 * 5, false);
  heddle::kernels::clear_outside(3, 2, 5, dx.data(), {6, 3}, 2);
  heddle::kernels::copy_range<float>(3, 2, 5, dy.data(), {2, 0}, {dx.data()}, {6, 3}, 1);
  for (std::int64_t o = 0; o < 3; ++o) {
    for (std::int64_t i = 0; i < 30; ++i) {
      const bool inside = i >= 15 && i < 25;
      CHECK(dx.data()[o * 30 + i] == (inside ? dy.data()[o * 10 + i - 15] : 0.0F));
    }
  }
}

TEST_CASE_TEMPLATE("gather and its backward equal plain loops", T, float, double) {
  const std::vector<std::int32_t> index = {4, 0, 4, 4, 2, 6, 0, 1};
  for (const auto& size : {std::array<std::int64_t, 2>{1, 1}, {3, 1}, {1, 50}, {2, 33}, {5, 128}}) {
    const std::int64_t outer = size[0];
    const std::int64_t inner = size[1];
    const GatherShape s{outer, 7, inner, 8, index.data()};
    const std::vector<T> x = random_values<T>(outer * 7 * inner, 6);
    const std::vector<T> dy = random_values<T>(outer * 8 * inner, 7);
    for (const bool add : {false, true}) {
      std::vector<T> y = filled<T>(outer * 8 * inner, false);
      std::vector<T> dx = filled<T>(outer * 7 * inner, add);
      std::vector<T> expected(dx.size(), add ? T{2} : T{0});
      heddle::kernels::gather(s, x.data(), y.data(), 2);
      heddle::kernels::gather_backward<T>(s, dy.data(), {dx.data(), add}, 1);
      int wrong = 0;
      for (std::int64_t o = 0; o < outer; ++o) {
        for (std::int64_t k = 0; k < 8; ++k) {
          for (std::int64_t e = 0; e < inner; ++e) {
            const std::int64_t from = (o * 7 + index.data()[k]) * inner + e;
            const std::int64_t to = (o * 8 + k) * inner + e;
            wrong += y.data()[to] != x.data()[from];
            expected.data()[from] += dy.data()[to];
          }
        }
      }
      CHECK(wrong == 0);
      CHECK(dx == expected);  // the same order of additions
      for (int threads = 2; threads <= 4; ++threads) {
        std::vector<T> again = filled<T>(outer * 7 * inner, add);
        heddle::kernels::gather_backward<T>(s, dy.data(), {again.data(), add}, threads);
        CHECK(again == dx);
      }
    }
  }
}
