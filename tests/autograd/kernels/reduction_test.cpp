// Reductions along an axis and their backward against plain loops in double.
#include "autograd/kernels/reduction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;

constexpr AxisShape kShapes[] = {{1, 1, 1},    {1, 16, 1},    {5, 7, 1},  {33, 128, 1},
                                 {2, 1000, 1}, {3, 20000, 1}, {4, 17, 3}, {2, 5, 16},
                                 {3, 9, 40},   {1, 60, 1100}};

template <class T>
constexpr double kReductionTolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;

template <class T>
struct Input {
  AxisShape shape;
  std::vector<T> x;   // [outer, length, inner]
  std::vector<T> dy;  // [outer, inner]

  explicit Input(const AxisShape& s)
      : shape(s),
        x(random_values<T>(s.outer * s.length * s.inner, 1, -4, 5)),
        dy(random_values<T>(s.outer * s.inner, 2)) {}

  std::size_t results() const { return dy.size(); }
  std::vector<double> line(std::size_t result) const {
    std::vector<double> values;
    for (std::int64_t j = 0; j < shape.length; ++j) values.push_back(x[index(result, j)]);
    return values;
  }
  std::size_t index(std::size_t result, std::int64_t j) const {
    const auto inner = static_cast<std::size_t>(shape.inner);
    const auto length = static_cast<std::size_t>(shape.length);
    return (result / inner * length + static_cast<std::size_t>(j)) * inner + result % inner;
  }
};

double sum_of(const std::vector<double>& values) {
  double total = 0.0;
  for (const double v : values) total += v;
  return total;
}

template <class T>
bool close(T got, double wanted, double scale) {
  return std::abs(got - wanted) <= kReductionTolerance<T> * scale * (1 + std::abs(wanted));
}

// y[r] = value(line r), to within `scale` tolerances.
template <class T>
void check_values(const Input<T>& in, const std::vector<T>& y,
                  const std::function<double(const std::vector<double>&)>& value, double scale) {
  bool right = true;
  for (std::size_t r = 0; r < in.results(); ++r) {
    right = right && close(y[r], value(in.line(r)), scale);
  }
  CHECK(right);
}

// Backward, overwriting NaN and added to 1, gives dy times slope(line r, j).
template <class T>
void check_gradient(const Input<T>& in, const std::function<void(GradientSink<T>)>& backward,
                    const std::function<double(const std::vector<double>&, std::size_t)>& slope) {
  std::vector<T> dx(in.x.size(), std::numeric_limits<T>::quiet_NaN());
  std::vector<T> added(in.x.size(), T{1});
  backward({dx.data(), false});
  backward({added.data(), true});
  backward({});
  bool right = true;
  for (std::size_t r = 0; r < in.results(); ++r) {
    const std::vector<double> line = in.line(r);
    for (std::size_t j = 0; j<line.size(); j += line.size()> 400 ? 97 : 1) {
      const double wanted = in.dy[r] * slope(line, j);
      const std::size_t at = in.index(r, static_cast<std::int64_t>(j));
      right = right && close(dx[at], wanted, 4) && close(added[at], 1 + wanted, 4);
    }
  }
  CHECK(right);
}

double mean_of(const std::vector<double>& line) {
  return sum_of(line) / static_cast<double>(line.size());
}

double variance_of(const std::vector<double>& line, int correction) {
  const double mean = mean_of(line);
  double squares = 0.0;
  for (const double v : line) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(static_cast<int>(line.size()) - correction);
}

double logsumexp_of(const std::vector<double>& line) {
  double total = 0.0;
  for (const double v : line) total += std::exp(v);
  return std::log(total);
}

template <class Body>
void for_each_shape(const Body& body) {
  for (const AxisShape& shape : kShapes) {
    CAPTURE(shape.length);
    CAPTURE(shape.inner);
    body(shape);
  }
}

TEST_CASE_TEMPLATE("sum and mean", T, float, double) {
  for_each_shape([](const AxisShape& shape) {
    const Input<T> in(shape);
    std::vector<T> y(in.results());
    for (const double factor : {1.0, 1.0 / static_cast<double>(shape.length)}) {
      sum(shape, factor, in.x.data(), y.data(), 2);
      // Rounding grows with what was added, not with the sum.
      check_values<T>(
          in, y, [&](const auto& line) { return factor * sum_of(line); },
          1 + 0.05 * factor * static_cast<double>(shape.length));
      check_gradient<T>(
          in, [&](GradientSink<T> dx) { sum_backward(shape, factor, in.dy.data(), dx, 2); },
          [&](const auto&, std::size_t) { return factor; });
    }
  });
}

TEST_CASE_TEMPLATE("max", T, float, double) {
  for_each_shape([](const AxisShape& shape) {
    const Input<T> in(shape);
    std::vector<T> y(in.results()), y_alone(in.results());
    std::vector<std::int32_t> index(in.results(), -1);
    max(shape, in.x.data(), y.data(), index.data(), 2);
    max<T>(shape, in.x.data(), y_alone.data(), nullptr, 1);
    CHECK(y == y_alone);
    bool right = true;
    for (std::size_t r = 0; r < in.results(); ++r) {
      const std::vector<double> line = in.line(r);
      const auto largest = std::max_element(line.begin(), line.end());  // the first of equals
      right = right && y[r] == *largest && index[r] == largest - line.begin();
    }
    CHECK(right);
    check_gradient<T>(
        in, [&](GradientSink<T> dx) { max_backward(shape, index.data(), in.dy.data(), dx, 2); },
        [](const auto& line, std::size_t j) {
          return std::max_element(line.begin(), line.end()) - line.begin() ==
                         static_cast<std::ptrdiff_t>(j)
                     ? 1.0
                     : 0.0;
        });
  });
}

TEST_CASE_TEMPLATE("max: ties, infinities and NaN", T, float, double) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
  for (const std::int64_t inner : {1, 2}) {
    const AxisShape shape{1, 40, inner};
    const auto check = [&](std::vector<T> line, T wanted, std::int32_t place) {
      line.resize(40, T{-1});
      std::vector<T> x(static_cast<std::size_t>(40 * inner));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = line[i / static_cast<std::size_t>(inner)];
      std::vector<T> y(static_cast<std::size_t>(inner));
      std::vector<std::int32_t> index(static_cast<std::size_t>(inner));
      max(shape, x.data(), y.data(), index.data(), 1);
      CHECK((y.back() == wanted || (std::isnan(wanted) && std::isnan(y.back()))));
      CHECK(index.back() == place);
    };
    check({0, 3, 3, 0, 3}, 3, 1);
    check(std::vector<T>(40, T{5}), 5, 0);
    check(std::vector<T>(40, -kInfinity), -kInfinity, 0);
    check({0, kInfinity, 2}, kInfinity, 1);
    check({0, 1, kNaN, kInfinity, kNaN}, kNaN, 2);
    std::vector<T> late(40, T{1});
    late[39] = kNaN;
    late[20] = kNaN;
    check(late, kNaN, 20);
  }
}

TEST_CASE_TEMPLATE("variance", T, float, double) {
  for_each_shape([](const AxisShape& shape) {
    const Input<T> in(shape);
    std::vector<T> y(in.results()), mean(in.results());
    for (const int correction : {0, 1}) {
      variance(shape, correction, in.x.data(), y.data(), mean.data(), 2);
      if (shape.length == 1 && correction == 1) {
        CHECK(std::isnan(y[0]));
        continue;
      }
      check_values<T>(
          in, y, [&](const auto& line) { return variance_of(line, correction); }, 4);
      check_values<T>(in, mean, mean_of, 1);
      check_gradient<T>(
          in,
          [&](GradientSink<T> dx) {
            variance_backward(shape, correction, in.x.data(), mean.data(), in.dy.data(), dx, 2);
          },
          [&](const auto& line, std::size_t j) {
            return 2 * (line[j] - mean_of(line)) /
                   static_cast<double>(static_cast<int>(line.size()) - correction);
          });
    }
  });
}

TEST_CASE_TEMPLATE("logsumexp", T, float, double) {
  for_each_shape([](const AxisShape& shape) {
    const Input<T> in(shape);
    std::vector<T> y(in.results());
    logsumexp(shape, in.x.data(), y.data(), 2);
    check_values<T>(in, y, logsumexp_of, 1);
    check_gradient<T>(
        in,
        [&](GradientSink<T> dx) {
          logsumexp_backward(shape, in.x.data(), y.data(), in.dy.data(), dx, 2);
        },
        [](const auto& line, std::size_t j) { return std::exp(line[j] - logsumexp_of(line)); });
  });
}

TEST_CASE_TEMPLATE("logsumexp of large numbers and infinities", T, float, double) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (const std::int64_t inner : {1, 3}) {
    const AxisShape shape{1, 2, inner};
    const auto at = [&](T a, T b) {
      std::vector<T> x(static_cast<std::size_t>(2 * inner), a);
      std::fill(x.begin() + inner, x.end(), b);
      std::vector<T> y(static_cast<std::size_t>(inner));
      logsumexp(shape, x.data(), y.data(), 1);
      return y[0];
    };
    CHECK(at(1000, 1000) == doctest::Approx(1000 + std::log(2.0)));
    CHECK(at(-kInfinity, -1000) == T{-1000});
    CHECK(at(-kInfinity, -kInfinity) == -kInfinity);
    CHECK(at(kInfinity, 0) == kInfinity);
    CHECK(std::isnan(at(std::numeric_limits<T>::quiet_NaN(), 0)));
  }
}

TEST_CASE_TEMPLATE("the same bits on any number of threads", T, float, double) {
  for_each_shape([](const AxisShape& shape) {
    const Input<T> in(shape);
    std::vector<T> one(in.results()), four(in.results()), mean(in.results());
    sum(shape, 1.0, in.x.data(), one.data(), 1);
    sum(shape, 1.0, in.x.data(), four.data(), 4);
    CHECK(one == four);
    variance(shape, 0, in.x.data(), one.data(), mean.data(), 1);
    variance(shape, 0, in.x.data(), four.data(), mean.data(), 4);
    CHECK(one == four);
    logsumexp(shape, in.x.data(), one.data(), 1);
    logsumexp(shape, in.x.data(), four.data(), 4);
    CHECK(one == four);
  });
  const std::vector<T> x = random_values<T>(5'000'000, 3);
  CHECK(sum_of_squares(5'000'000, x.data(), 1) == sum_of_squares(5'000'000, x.data(), 4));
}

TEST_CASE_TEMPLATE("sums of rows, columns and squares", T, float, double) {
  for (const std::int64_t n : {1, 15, 16, 100, 16385, 40000}) {
    CAPTURE(n);
    const std::vector<T> x = random_values<T>(n, 4, -1, 2);
    double sum = 0.0;
    double squares = 0.0;
    for (const T v : x) {
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    CHECK(std::abs(row_sum(n, x.data()) - sum) <= kReductionTolerance<T> * static_cast<double>(n));
    CHECK(std::abs(sum_of_squares(n, x.data(), 1) - squares) <= 1e-12 * squares);
  }
  const std::vector<T> x = random_values<T>(7 * 9, 5);
  std::vector<T> sums(9, T{1});
  column_sums<T>(7, 9, x.data(), {sums.data(), true}, 1);
  bool right = true;
  for (std::size_t j = 0; j < 9; ++j) {
    double wanted = 1.0;
    for (std::size_t i = 0; i < 7; ++i) wanted += x[i * 9 + j];
    right = right && close(sums[j], wanted, 1);
  }
  CHECK(right);
}

TEST_CASE_TEMPLATE("the first number that is not finite", T, float, double) {
  constexpr std::int64_t kCount = 10'000;
  for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                      -std::numeric_limits<T>::infinity()}) {
    for (const std::int64_t place : {0, 1, 17, 4095, 4096, 9983, 9999}) {
      std::vector<T> x(kCount, std::numeric_limits<T>::max());
      CHECK(first_non_finite(kCount, x.data()) == -1);
      x[static_cast<std::size_t>(place)] = bad;
      x[kCount - 1] = bad;
      CHECK(first_non_finite(kCount, x.data()) == place);
    }
  }
  CHECK(first_non_finite<T>(0, nullptr) == -1);
}

}  // namespace
}  // namespace heddle::kernels
