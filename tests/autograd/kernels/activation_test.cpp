// The epilogue of a linear layer against plain loops over the functions of unary.h.
#include "autograd/kernels/activation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "autograd/kernels/unary.h"
#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;

struct Case {
  Activation activation;
  std::optional<Unary> function;  // none: the identity
};
constexpr Case kCases[] = {
    {Activation::kNone, {}},           {Activation::kRelu, Unary::kRelu},
    {Activation::kGelu, Unary::kGelu}, {Activation::kSilu, Unary::kSilu},
    {Activation::kTanh, Unary::kTanh}, {Activation::kSigmoid, Unary::kSigmoid}};

struct Size {
  std::int64_t rows, columns;
};
constexpr Size kSizes[] = {{1, 1}, {3, 7}, {8, 16}, {19, 33}, {5, 1500}, {260, 20}};

template <class T>
std::vector<T> with_bias(Size size, const std::vector<T>& product, const std::vector<T>& bias) {
  std::vector<T> pre = product;
  for (std::size_t i = 0; i < pre.size(); ++i) {
    pre[i] += bias[i % static_cast<std::size_t>(size.columns)];
  }
  return pre;
}

template <class T>
void check_forward(const Case& c, Size size) {
  const std::int64_t n = size.rows * size.columns;
  const std::vector<T> product = random_values<T>(n, 1, -4, 4);
  const std::vector<T> bias = random_values<T>(size.columns, 2);
  const std::vector<T> pre = with_bias(size, product, bias);
  std::vector<T> wanted = pre;
  if (c.function) unary(*c.function, n, pre.data(), wanted.data(), 1);

  std::vector<T> kept(product.size()), y(product.size()), in_place = product;
  bias_activation<T>(c.activation, size.rows, size.columns, product.data(), bias.data(),
                     kept.data(), y.data(), 2);
  CHECK(kept == pre);
  CHECK(y == wanted);
  bias_activation<T>(c.activation, size.rows, size.columns, in_place.data(), bias.data(), nullptr,
                     in_place.data(), 1);
  CHECK(in_place == wanted);
  bias_activation<T>(c.activation, size.rows, size.columns, pre.data(), nullptr, nullptr, y.data(),
                     1);
  CHECK(y == wanted);
}

template <class T>
void check_backward(const Case& c, Size size) {
  const std::int64_t n = size.rows * size.columns;
  const auto columns = static_cast<std::size_t>(size.columns);
  const std::vector<T> pre = random_values<T>(n, 3, -4, 4);
  const std::vector<T> dy = random_values<T>(n, 4);
  std::vector<T> y = pre;
  if (c.function) unary(*c.function, n, pre.data(), y.data(), 1);
  const std::vector<T>& saved = backward_reads_pre(c.activation) ? pre : y;
  std::vector<T> wanted = dy;
  if (c.function) unary_backward<T>(*c.function, n, saved.data(), dy.data(), {wanted.data()}, 1);
  std::vector<double> sums(columns);
  for (std::size_t i = 0; i < wanted.size(); ++i) sums[i % columns] += wanted[i];

  std::vector<T> dpre(dy.size());
  std::vector<T> dbias(columns, std::numeric_limits<T>::quiet_NaN());
  std::vector<T> added(columns, T{1});
  bias_activation_backward<T>(c.activation, size.rows, size.columns, saved.data(), dy.data(),
                              dpre.data(), {dbias.data(), false}, 1);
  CHECK(dpre == wanted);
  std::vector<T> in_place = dy;
  bias_activation_backward<T>(c.activation, size.rows, size.columns, saved.data(), in_place.data(),
                              in_place.data(), {added.data(), true}, 2);
  CHECK(in_place == wanted);
  bool right = true;
  const double tolerance = sizeof(T) == 4 ? 3e-6 : 1e-14;
  for (std::size_t j = 0; j < columns; ++j) {
    const double bound = tolerance * static_cast<double>(size.rows);
    right = right && std::abs(dbias[j] - sums[j]) <= bound;
    right = right && std::abs(added[j] - 1 - sums[j]) <= bound;
  }
  CHECK(right);
  std::vector<T> no_bias(dy.size());
  bias_activation_backward<T>(c.activation, size.rows, size.columns, saved.data(), dy.data(),
                              no_bias.data(), {}, 1);
  CHECK(no_bias == wanted);
}

TEST_CASE_TEMPLATE("bias and activation equal the function of the sum", T, float, double) {
  for (const Case& c : kCases) {
    for (const Size size : kSizes) {
      CAPTURE(static_cast<int>(c.activation));
      CAPTURE(size.columns);
      check_forward<T>(c, size);
    }
  }
}

TEST_CASE_TEMPLATE("backward is that of the function, the bias gets the sums of columns", T, float,
                   double) {
  for (const Case& c : kCases) {
    for (const Size size : kSizes) {
      CAPTURE(static_cast<int>(c.activation));
      CAPTURE(size.columns);
      check_backward<T>(c, size);
    }
  }
}

TEST_CASE_TEMPLATE("without an activation dpre is dy and only the bias is written", T, float,
                   double) {
  const std::vector<T> dy{1, 2, 3, 4, 5, 6};
  std::vector<T> dbias(3);
  bias_activation_backward<T>(Activation::kNone, 2, 3, nullptr, dy.data(), nullptr,
                              {dbias.data(), false}, 1);
  CHECK(dbias == std::vector<T>{5, 7, 9});
}

TEST_CASE_TEMPLATE("the gradient of the bias has the same bits on any number of threads", T, float,
                   double) {
  constexpr std::int64_t kRows = 301, kColumns = 5000;
  const std::vector<T> y = random_values<T>(kRows * kColumns, 5);
  const std::vector<T> dy = random_values<T>(kRows * kColumns, 6);
  std::vector<T> dpre(y.size()), one(kColumns), four(kColumns);
  bias_activation_backward<T>(Activation::kRelu, kRows, kColumns, y.data(), dy.data(), dpre.data(),
                              {one.data(), false}, 1);
  bias_activation_backward<T>(Activation::kRelu, kRows, kColumns, y.data(), dy.data(), dpre.data(),
                              {four.data(), false}, 4);
  CHECK(one == four);
}

}  // namespace
}  // namespace heddle::kernels
