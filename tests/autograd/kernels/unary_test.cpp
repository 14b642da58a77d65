// Functions of one tensor against the C library in double, element by element.
#include "autograd/kernels/unary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;

struct Case {
  const char* name;
  Unary function;
  double low, high;  // where x is drawn from
  std::function<double(double)> value;
  std::function<double(double)> derivative;
};

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}
double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}
double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"neg", Unary::kNeg, -3, 3, [](double x) { return -x; }, [](double) { return -1.0; }},
      {"abs", Unary::kAbs, -3, 3, [](double x) { return std::abs(x); },
       [](double x) { return x > 0 ? 1.0 : -1.0; }},
      {"exp", Unary::kExp, -5, 5, [](double x) { return std::exp(x); },
       [](double x) { return std::exp(x); }},
      {"log", Unary::kLog, 0.1, 9, [](double x) { return std::log(x); },
       [](double x) { return 1 / x; }},
      {"sqrt", Unary::kSqrt, 0.1, 9, [](double x) { return std::sqrt(x); },
       [](double x) { return 0.5 / std::sqrt(x); }},
      {"tanh", Unary::kTanh, -3, 3, [](double x) { return std::tanh(x); },
       [](double x) { return 1 - std::tanh(x) * std::tanh(x); }},
      {"sigmoid", Unary::kSigmoid, -6, 6, logistic,
       [](double x) { return logistic(x) * logistic(-x); }},
      {"relu", Unary::kRelu, -3, 3, [](double x) { return std::max(x, 0.0); },
       [](double x) { return x > 0 ? 1.0 : 0.0; }},
      {"gelu", Unary::kGelu, -12, 12, [](double x) { return x * normal_cdf(x); },
       [](double x) { return normal_cdf(x) + x * normal_density(x); }},
      {"silu", Unary::kSilu, -12, 12, [](double x) { return x * logistic(x); },
       [](double x) { return logistic(x) * (1 + x * logistic(-x)); }},
  };
  return all;
}

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 2e-15;

template <class T>
bool close(T got, double wanted) {
  return std::abs(static_cast<double>(got) - wanted) <= kTolerance<T> * (1 + std::abs(wanted));
}

// x is rounded to T first, so that the function's error alone is seen.
template <class T>
void check_case(const Case& c, std::int64_t n) {
  CAPTURE(std::string(c.name));
  CAPTURE(n);
  const std::vector<T> x = random_values<T>(n, 1, c.low, c.high);
  const std::vector<T> dy = random_values<T>(n, 2);
  const std::vector<T> before = random_values<T>(n, 3);
  std::vector<T> y(x.size());
  unary(c.function, n, x.data(), y.data(), 1);
  std::vector<T> overwritten(x.size(), std::numeric_limits<T>::quiet_NaN());
  std::vector<T> added = before;
  const std::vector<T>& saved = backward_reads_output(c.function) ? y : x;
  unary_backward<T>(c.function, n, saved.data(), dy.data(), {overwritten.data(), false}, 1);
  unary_backward<T>(c.function, n, saved.data(), dy.data(), {added.data(), true}, 1);
  unary_backward<T>(c.function, n, saved.data(), dy.data(), {}, 1);

  bool values = true;
  bool gradients = true;
  bool sums = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double at = x[i];
    const double wanted = dy[i] * c.derivative(at);
    values = values && close(y[i], c.value(at));
    gradients = gradients && close(overwritten[i], wanted);
    sums = sums && close(added[i], before[i] + wanted);
  }
  CHECK(values);
  CHECK(gradients);
  CHECK(sums);
}

TEST_CASE_TEMPLATE("every function and its derivative agree with the C library", T, float, double) {
  for (const Case& c : cases()) {
    for (const std::int64_t n : {1, 7, 16, 33, 1000}) check_case<T>(c, n);
  }
}

TEST_CASE_TEMPLATE("the place of an element and the number of threads do not change its bits", T,
                   float, double) {
  constexpr std::int64_t kCount = 50001;
  const std::vector<T> x = random_values<T>(kCount, 4, 0.1, 4.0);
  const std::vector<T> dy = random_values<T>(kCount, 5);
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    std::vector<T> alone(x.size()), shared(x.size()), single(x.size());
    unary(c.function, kCount, x.data(), alone.data(), 1);
    unary(c.function, kCount, x.data(), shared.data(), 3);
    for (std::size_t i = 0; i < 100; ++i) unary(c.function, 1, &x[i], &single[i], 1);
    CHECK(alone == shared);
    CHECK(std::equal(single.begin(), single.begin() + 100, alone.begin()));
    std::vector<T> in_place = x;
    unary(c.function, kCount, in_place.data(), in_place.data(), 1);
    CHECK(in_place == alone);
    unary_backward<T>(c.function, kCount, x.data(), dy.data(), {alone.data(), false}, 1);
    unary_backward<T>(c.function, kCount, x.data(), dy.data(), {shared.data(), false}, 3);
    CHECK(alone == shared);
  }
}

TEST_CASE_TEMPLATE("special values", T, float, double) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  const auto at = [](Unary function, T x) {
    T y = 0;
    unary(function, 1, &x, &y, 1);
    return y;
  };
  const auto slope = [](Unary function, T saved) {
    const T one = 1;
    T dx = 7;
    unary_backward<T>(function, 1, &saved, &one, {&dx, false}, 1);
    return dx;
  };
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    CHECK(std::isnan(at(c.function, kNaN)));
  }
  CHECK(at(Unary::kRelu, -kInfinity) == 0);
  CHECK(at(Unary::kRelu, kInfinity) == kInfinity);
  CHECK(at(Unary::kGelu, kInfinity) == kInfinity);
  CHECK(std::abs(at(Unary::kGelu, T{-1000})) < T{1e-9f});
  CHECK(std::abs(slope(Unary::kGelu, T{-1000})) < T{2e-9f});
  CHECK(slope(Unary::kGelu, T{1000}) == doctest::Approx(1));
  CHECK(std::isnan(at(Unary::kSqrt, T{-1})));
  CHECK(std::isnan(at(Unary::kLog, T{-1})));
  CHECK(at(Unary::kLog, T{0}) == -kInfinity);
  CHECK(slope(Unary::kAbs, T{0}) == 0);
  CHECK(slope(Unary::kRelu, T{0}) == 0);
}

TEST_CASE_TEMPLATE("powers", T, float, double) {
  constexpr std::int64_t kCount = 53;
  const std::vector<T> x = random_values<T>(kCount, 6, 0.2, 3.0);
  const std::vector<T> dy = random_values<T>(kCount, 7);
  for (const double p : {0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 1.5, 2.7, -3.0}) {
    CAPTURE(p);
    std::vector<T> y(x.size());
    std::vector<T> dx(x.size(), std::numeric_limits<T>::quiet_NaN());
    std::vector<T> added(x.size(), T{1});
    power(kCount, p, x.data(), y.data(), 1);
    power_backward<T>(kCount, p, x.data(), dy.data(), {dx.data(), false}, 1);
    power_backward<T>(kCount, p, x.data(), dy.data(), {added.data(), true}, 1);
    bool right = true;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double at = x[i];
      const double slope = dy[i] * p * std::pow(at, p - 1);
      right = right && std::abs(y[i] - std::pow(at, p)) <= 4 * kTolerance<T> * std::pow(at, p);
      right = right && std::abs(dx[i] - slope) <= 4 * kTolerance<T> * (1 + std::abs(slope));
      right = right && std::abs(added[i] - 1 - slope) <= 4 * kTolerance<T> * (1 + std::abs(slope));
    }
    CHECK(right);
  }
}

TEST_CASE_TEMPLATE("affine", T, float, double) {
  const std::vector<T> x{1, 2, 3};
  std::vector<T> y{10, 20, 30};
  affine<T>(3, 2.0, -1.0, x.data(), {y.data(), true}, 1);
  CHECK(y == std::vector<T>{11, 23, 35});
  affine<T>(3, 2.0, -1.0, x.data(), {y.data(), false}, 1);
  CHECK(y == std::vector<T>{1, 3, 5});
}

}  // namespace
}  // namespace heddle::kernels

TEST_CASE("a gradient is added to in every block of a long array") {
  const std::int64_t n = 40000;  // three blocks
  const std::vector<double> x(static_cast<std::size_t>(n), 2.0);
  for (const int threads : {1, 3}) {
    std::vector<double> y(static_cast<std::size_t>(n), 1.0);
    heddle::kernels::affine<double>(n, 3.0, 0.0, x.data(), {y.data(), true}, threads);
    CHECK(std::count(y.begin(), y.end(), 7.0) == n);
  }
}
