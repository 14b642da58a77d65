// Gated linear units against the functions of unary.h, bit by bit.
#include "autograd/kernels/gated.h"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <vector>

#include "autograd/kernels/unary.h"
#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;
using heddle::testing::worst_error;

struct Case {
  Activation activation;
  std::optional<Unary> function;  // none: the identity
};
constexpr Case kCases[] = {
    {Activation::kNone, {}},           {Activation::kRelu, Unary::kRelu},
    {Activation::kGelu, Unary::kGelu}, {Activation::kSilu, Unary::kSilu},
    {Activation::kTanh, Unary::kTanh}, {Activation::kSigmoid, Unary::kSigmoid}};

struct Size {
  std::int64_t rows, n;
};
constexpr Size kSizes[] = {{1, 1}, {3, 7}, {8, 16}, {19, 33}, {2, 1500}, {900, 20}};

// What gated and its backward must give, from copies of gate and value.
template <class T>
struct Plain {
  std::vector<T> y, dx;

  Plain(const Case& c, Size size, const std::vector<T>& x, const std::vector<T>& dy)
      : y(dy.size()), dx(x.size()) {
    const std::int64_t count = size.rows * size.n;
    std::vector<T> gate(dy.size()), product(dy.size());
    for (std::int64_t i = 0; i < count; ++i) {
      gate.data()[i] = x.data()[place(size, i)];
      product.data()[i] = dy.data()[i] * x.data()[place(size, i) + size.n];
    }
    std::vector<T> opened = gate, dgate = product;
    if (c.function) {
      unary<T>(*c.function, count, gate.data(), opened.data(), 1);
      const T* const saved = backward_reads_output(*c.function) ? opened.data() : gate.data();
      unary_backward<T>(*c.function, count, saved, product.data(), {dgate.data()}, 1);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      y.data()[i] = opened.data()[i] * x.data()[place(size, i) + size.n];
      dx.data()[place(size, i)] = dgate.data()[i];
      dx.data()[place(size, i) + size.n] = dy.data()[i] * opened.data()[i];
    }
  }
  // Of gate i in x.
  static std::int64_t place(Size size, std::int64_t i) {
    return i / size.n * 2 * size.n + i % size.n;
  }
};

template <class Body>
void for_each_case(const Body& body) {
  for (const Case& c : kCases) {
    for (const Size size : kSizes) {
      CAPTURE(static_cast<int>(c.activation));
      CAPTURE(size.n);
      body(c, size);
    }
  }
}

// The same formulas, but the compiler may fuse a product and a sum in one of two places only.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 2e-6 : 4e-15;

TEST_CASE_TEMPLATE("gated equals the function of the gate times the value", T, float, double) {
  for_each_case([](const Case& c, Size size) {
    const std::vector<T> x = random_values<T>(size.rows * 2 * size.n, 1, -4, 4);
    const std::vector<T> dy = random_values<T>(size.rows * size.n, 2);
    const Plain<T> plain(c, size, x, dy);
    std::vector<T> y(dy.size(), std::numeric_limits<T>::quiet_NaN());
    gated<T>(c.activation, size.rows, size.n, x.data(), y.data(), 1);
    CHECK(worst_error(y, plain.y) <= kTolerance<T>);

    std::vector<T> dx(x.size(), std::numeric_limits<T>::quiet_NaN());
    gated_backward<T>(c.activation, size.rows, size.n, x.data(), dy.data(), {dx.data(), false}, 1);
    CHECK(worst_error(dx, plain.dx) <= kTolerance<T>);
    std::vector<T> added(x.size(), T{1});
    gated_backward<T>(c.activation, size.rows, size.n, x.data(), dy.data(), {added.data(), true},
                      1);
    for (T& d : added) d -= 1;
    CHECK(worst_error(added, plain.dx) <= 2 * kTolerance<T>);
  });
}

TEST_CASE_TEMPLATE("a row of gated has the same bits alone and on any number of threads", T, float,
                   double) {
  for_each_case([](const Case& c, Size size) {
    const std::vector<T> x = random_values<T>(size.rows * 2 * size.n, 3, -4, 4);
    const std::vector<T> dy = random_values<T>(size.rows * size.n, 4);
    const auto run = [&](std::int64_t first, std::int64_t rows, int threads) {
      std::vector<T> y(static_cast<std::size_t>(rows * size.n)), dx(2 * y.size(), T{1});
      gated<T>(c.activation, rows, size.n, x.data() + first * 2 * size.n, y.data(), threads);
      gated_backward<T>(c.activation, rows, size.n, x.data() + first * 2 * size.n,
                        dy.data() + first * size.n, {dx.data(), true}, threads);
      y.insert(y.end(), dx.begin(), dx.end());
      return y;
    };
    const std::vector<T> all = run(0, size.rows, 1);
    for (const int threads : {2, 3, 4}) CHECK(run(0, size.rows, threads) == all);
    const std::vector<T> last = run(size.rows - 1, 1, 1);
    const auto y_begin = all.begin() + (size.rows - 1) * size.n;
    std::vector<T> expected(y_begin, y_begin + size.n);
    expected.insert(expected.end(), all.end() - 2 * size.n, all.end());
    CHECK(last == expected);
  });
}

}  // namespace
}  // namespace heddle::kernels
