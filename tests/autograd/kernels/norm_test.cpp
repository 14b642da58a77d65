#include "autograd/kernels/norm.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace {

using heddle::kernels::GradientSink;
using heddle::kernels::kNormBlock;
using heddle::kernels::Norm;
using heddle::kernels::norm_scratch;
using heddle::kernels::NormType;
using heddle::testing::random_values;
using heddle::testing::worse_of;

constexpr double kEps = 1e-3;

std::vector<double> nans(std::int64_t count) {
  return std::vector<double>(static_cast<std::size_t>(count),
                             std::numeric_limits<double>::quiet_NaN());
}

template <class T>
struct NormProblem {
  NormType type;
  std::int64_t rows, columns;
  std::vector<T> x, dy, gain, bias;

  NormProblem(NormType norm_type, std::int64_t r, std::int64_t c)
      : type(norm_type),
        rows(r),
        columns(c),
        x(random_values<T>(r * c, 1)),
        dy(random_values<T>(r * c, 2)),
        gain(random_values<T>(c, 3)),
        bias(random_values<T>(c, 4)) {
    for (T& value : x) value += T{2};  // a mean that is not near zero
  }
  Norm<T> norm() const {
    return {type, kEps, gain.data(), type == NormType::kLayerNorm ? bias.data() : nullptr};
  }
};

template <class T>
struct Result {
  std::vector<T> y, mean, rstd, dx, dgain, dbias;

  Result(const NormProblem<T>& p, int threads, bool add = false)
      : y(p.x.size(), std::numeric_limits<T>::quiet_NaN()),
        mean(static_cast<std::size_t>(p.rows)),
        rstd(mean.size()),
        dx(p.x.size(), add ? T{3} : std::numeric_limits<T>::quiet_NaN()),
        dgain(p.gain.size(), dx[0]),
        dbias(p.gain.size(), dx[0]) {
    std::vector<T> scratch(static_cast<std::size_t>(norm_scratch(p.rows, p.columns)),
                           std::numeric_limits<T>::quiet_NaN());
    heddle::kernels::norm(p.norm(), p.rows, p.columns, p.x.data(), y.data(),
                          {mean.data(), rstd.data()}, threads);
    GradientSink<T> to_bias;
    if (p.type == NormType::kLayerNorm) to_bias = {dbias.data(), add};
    heddle::kernels::norm_backward<T>(p.norm(), p.rows, p.columns, p.dy.data(), p.x.data(),
                                      {mean.data(), rstd.data()}, {dx.data(), add},
                                      {{dgain.data(), add}, to_bias, scratch.data()}, threads);
  }
};

// The formulas as plain loops, from the value of a row to its Jacobian, all in double.
struct Oracle {
  std::vector<double> y, dx, dgain, dbias;

  template <class T>
  explicit Oracle(const NormProblem<T>& p)
      : y(nans(p.rows * p.columns)), dx(y), dgain(p.gain.size(), 0.0), dbias(dgain) {
    const bool centred = p.type == NormType::kLayerNorm;
    const std::int64_t n = p.columns;
    for (std::int64_t r = 0; r < p.rows; ++r) {
      const T* const x = p.x.data() + r * n;
      const T* const dy = p.dy.data() + r * n;
      double mean = 0.0;
      for (std::int64_t c = 0; c < n && centred; ++c) mean += x[c] / static_cast<double>(n);
      double square = 0.0;
      for (std::int64_t c = 0; c < n; ++c) {
        square += (x[c] - mean) * (x[c] - mean) / static_cast<double>(n);
      }
      const double rstd = 1.0 / std::sqrt(square + kEps);
      for (std::int64_t c = 0; c < n; ++c) {
        const double xhat = (x[c] - mean) * rstd;
        y.data()[r * n + c] = xhat * p.gain.data()[c] + (centred ? p.bias.data()[c] : 0.0);
        dgain.data()[c] += dy[c] * xhat;
        dbias.data()[c] += dy[c];
        // d xhat[k] / d x[c] = rstd * (delta_kc - centred / n - xhat[k] * xhat[c] / n)
        double sum = 0.0;
        for (std::int64_t k = 0; k < n; ++k) {
          const double other = (x[k] - mean) * rstd;
          const double jacobian =
              (k == c) - ((centred ? 1.0 : 0.0) + other * xhat) / static_cast<double>(n);
          sum += dy[k] * p.gain.data()[k] * rstd * jacobian;
        }
        dx.data()[r * n + c] = sum;
      }
    }
  }
};

template <class T>
double worst(const std::vector<T>& actual, const std::vector<double>& expected, double offset) {
  double result = actual.size() == expected.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    const double error = std::abs(actual[i] - offset - expected[i]) / (1.0 + std::abs(expected[i]));
    result = worse_of(result, error);
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("norm forward and backward equal plain loops", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  for (const NormType type : {NormType::kLayerNorm, NormType::kRmsNorm}) {
    for (const auto& size : {std::array<std::int64_t, 2>{1, 1},
                             {1, 7},
                             {3, 16},
                             {9, 33},
                             {kNormBlock + 3, 64},
                             {2 * kNormBlock + 9, 37},
                             {5, 300}}) {
      const std::int64_t rows = size[0];
      const std::int64_t columns = size[1];
      const NormProblem<T> problem(type, rows, columns);
      const Oracle oracle(problem);
      for (const bool add : {false, true}) {
        const Result<T> result(problem, 1, add);
        const double offset = add ? 3.0 : 0.0;
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(static_cast<int>(type));
        CHECK(worst(result.y, oracle.y, 0.0) < tolerance);
        CHECK(worst(result.dx, oracle.dx, offset) < tolerance);
        CHECK(worst(result.dgain, oracle.dgain, offset) < tolerance);
        if (type == NormType::kLayerNorm) {
          CHECK(worst(result.dbias, oracle.dbias, offset) < tolerance);
        } else {
          CHECK(std::isnan(result.dbias[0]) != add);
        }
      }
    }
  }
}

TEST_CASE("the variance does not cancel where the mean is large") {
  NormProblem<float> problem(NormType::kLayerNorm, 4, 256);
  for (float& value : problem.x) value = 4096.0F + value;
  const Result<float> result(problem, 1);
  CHECK(worst(result.y, Oracle(problem).y, 0.0) < 2e-3);
}

TEST_CASE("norm has the same bits on any number of threads") {
  for (const NormType type : {NormType::kLayerNorm, NormType::kRmsNorm}) {
    const NormProblem<float> problem(type, 1003, 65);
    const Result<float> one(problem, 1, true);
    for (int threads = 2; threads <= 4; ++threads) {
      const Result<float> several(problem, threads, true);
      CHECK(several.y == one.y);
      CHECK(several.mean == one.mean);
      CHECK(several.rstd == one.rstd);
      CHECK(several.dx == one.dx);
      CHECK(several.dgain == one.dgain);
      CHECK(several.dbias == one.dbias);
    }
  }
}

TEST_CASE("a row is normalised alike wherever it stands") {
  const NormProblem<float> problem(NormType::kLayerNorm, 21, 100);
  const Result<float> all(problem, 1);
  for (std::int64_t r = 0; r < 21; ++r) {
    std::vector<float> y(100);
    heddle::kernels::norm(problem.norm(), 1, 100, problem.x.data() + r * 100, y.data(), {}, 1);
    CHECK(std::equal(y.begin(), y.end(), all.y.begin() + r * 100));
  }
}

TEST_CASE("norm works in place, and unwanted gradients are left out") {
  const NormProblem<double> problem(NormType::kLayerNorm, 10, 48);
  const Result<double> all(problem, 1);
  std::vector<double> x = problem.x;
  heddle::kernels::norm(problem.norm(), 10, 48, x.data(), x.data(), {}, 1);
  CHECK(x == all.y);

  std::vector<double> mean = all.mean;
  std::vector<double> rstd = all.rstd;
  std::vector<double> dgain = nans(48);
  std::vector<double> scratch = nans(norm_scratch(10, 48));
  heddle::kernels::norm_backward<double>(problem.norm(), 10, 48, problem.dy.data(),
                                         problem.x.data(), {mean.data(), rstd.data()}, {},
                                         {{dgain.data()}, {}, scratch.data()}, 1);
  CHECK(dgain == all.dgain);
}
