// Softmax against plain loops in double.
#include "autograd/kernels/softmax.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;

constexpr AxisShape kSoftmaxShapes[] = {{1, 1, 1},    {1, 16, 1},   {5, 7, 1},  {33, 128, 1},
                                        {2, 1000, 1}, {3, 4099, 1}, {4, 17, 3}, {2, 5, 16},
                                        {3, 9, 40},   {1, 300, 21}};

template <class T>
constexpr double kSoftmaxTolerance = sizeof(T) == 4 ? 1e-6 : 1e-14;

// Calls body(first, stride) for every line along the axis.
template <class Body>
void for_each_line(const AxisShape& shape, const Body& body) {
  for (std::int64_t outer = 0; outer < shape.outer; ++outer) {
    for (std::int64_t inner = 0; inner < shape.inner; ++inner) {
      body(static_cast<std::size_t>(outer * shape.length * shape.inner + inner),
           static_cast<std::size_t>(shape.inner));
    }
  }
}

template <class T>
std::vector<double> softmax_oracle(const AxisShape& shape, const std::vector<T>& x, bool log) {
  std::vector<double> y(x.size());
  const auto length = static_cast<std::size_t>(shape.length);
  for_each_line(shape, [&](std::size_t first, std::size_t stride) {
    double sum = 0.0;
    for (std::size_t j = 0; j < length; ++j) sum += std::exp(double{x[first + j * stride]});
    for (std::size_t j = 0; j < length; ++j) {
      const double v = x[first + j * stride];
      y[first + j * stride] = log ? v - std::log(sum) : std::exp(v) / sum;
    }
  });
  return y;
}

// dx_i = sum_j dy_j dy_j/dx_i, with the whole Jacobian: p_j (delta_ij - p_i), or delta_ij - p_i.
template <class T>
std::vector<double> gradient_oracle(const AxisShape& shape, const std::vector<T>& x,
                                    const std::vector<T>& dy, bool log) {
  const std::vector<double> p = softmax_oracle(shape, x, false);
  std::vector<double> dx(x.size());
  const auto length = static_cast<std::size_t>(shape.length);
  for_each_line(shape, [&](std::size_t first, std::size_t stride) {
    double sum = 0.0;
    for (std::size_t j = 0; j < length; ++j) {
      const std::size_t at = first + j * stride;
      sum += dy[at] * (log ? 1.0 : p[at]);
    }
    for (std::size_t j = 0; j < length; ++j) {
      const std::size_t at = first + j * stride;
      dx[at] = (log ? double{dy[at]} : p[at] * dy[at]) - p[at] * sum;
    }
  });
  return dx;
}

template <class T>
bool all_close(const std::vector<T>& got, const std::vector<double>& wanted, double scale = 1.0) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i] - wanted[i]) <=
          scale * kSoftmaxTolerance<T> * (1 + std::abs(wanted[i])))) {
      return false;
    }
  }
  return true;
}

TEST_CASE_TEMPLATE("softmax and log_softmax, forward and backward", T, float, double) {
  for (const AxisShape& shape : kSoftmaxShapes) {
    CAPTURE(shape.length);
    CAPTURE(shape.inner);
    const std::int64_t n = shape.outer * shape.length * shape.inner;
    const std::vector<T> x = random_values<T>(n, 1, -8, 8);
    const std::vector<T> dy = random_values<T>(n, 2);
    for (const bool log : {false, true}) {
      CAPTURE(log);
      const auto forward = log ? log_softmax<T> : softmax<T>;
      const auto backward = log ? log_softmax_backward<T> : softmax_backward<T>;
      std::vector<T> y(x.size()), in_place = x;
      forward(shape, x.data(), y.data(), 1);
      forward(shape, in_place.data(), in_place.data(), 3);
      CHECK(in_place == y);
      CHECK(all_close(y, softmax_oracle(shape, x, log)));

      std::vector<double> wanted = gradient_oracle(shape, x, dy, log);
      std::vector<T> dx(x.size(), std::numeric_limits<T>::quiet_NaN());
      std::vector<T> added(x.size(), T{1});
      backward(shape, y.data(), dy.data(), {dx.data(), false}, 1);
      CHECK(all_close(dx, wanted, 10));
      backward(shape, y.data(), dy.data(), {added.data(), true}, 3);
      for (double& v : wanted) v += 1.0;
      CHECK(all_close(added, wanted, 10));
    }
  }
}

TEST_CASE_TEMPLATE("large logits do not overflow, -infinity has probability 0", T, float, double) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (const std::int64_t inner : {1, 2}) {
    const AxisShape shape{1, 19, inner};
    std::vector<T> x(static_cast<std::size_t>(19 * inner), T{10000});
    for (std::int64_t i = 0; i < inner; ++i) x[static_cast<std::size_t>(i)] = -kInfinity;
    std::vector<T> y(x.size());
    softmax(shape, x.data(), y.data(), 1);
    CHECK(y.front() == 0);
    CHECK(y.back() == doctest::Approx(1.0 / 18));
    log_softmax(shape, x.data(), y.data(), 1);
    CHECK(y.front() == -kInfinity);
    CHECK(y.back() == doctest::Approx(-std::log(18.0)));
    for (const T bad : {-kInfinity, std::numeric_limits<T>::quiet_NaN()}) {
      x.assign(x.size(), bad);
      softmax(shape, x.data(), y.data(), 1);
      CHECK(std::all_of(y.begin(), y.end(), [](T v) { return std::isnan(v); }));
    }
    x.assign(x.size(), T{1});
    x.back() = std::numeric_limits<T>::quiet_NaN();
    softmax(shape, x.data(), y.data(), 1);
    CHECK(std::isnan(y.back()));
    CHECK(std::isnan(y[y.size() - 1 - static_cast<std::size_t>(inner)]));
  }
}

TEST_CASE_TEMPLATE("exp_shifted writes exp(x - max) and gives maximum and sum", T, float, double) {
  for (const std::int64_t n : {1, 5, 16, 64, 1001, 10000}) {
    CAPTURE(n);
    const std::vector<T> x = random_values<T>(n, 3, -9, 9);
    std::vector<T> e = x;
    const auto [largest, sum] = exp_shifted(n, e.data());
    CHECK(largest == *std::max_element(x.begin(), x.end()));
    double total = 0.0;
    bool right = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = std::exp(static_cast<double>(x[i]) - largest);
      total += wanted;
      right = right && std::abs(e[i] - wanted) <= 2 * kSoftmaxTolerance<T> * wanted;
    }
    CHECK(right);
    CHECK(std::abs(sum - total) <= kSoftmaxTolerance<T> * total);
  }
}

}  // namespace
}  // namespace heddle::kernels
