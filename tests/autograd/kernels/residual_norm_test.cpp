#include "autograd/kernels/residual_norm.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace {

using heddle::kernels::Dropout;
using heddle::kernels::dropout_keeps;
using heddle::kernels::Norm;
using heddle::kernels::norm_scratch;
using heddle::kernels::NormType;
using heddle::testing::random_values;
using heddle::testing::worse_of;

template <class T>
std::vector<T> filled(std::int64_t count, T value = std::numeric_limits<T>::quiet_NaN()) {
  return std::vector<T>(static_cast<std::size_t>(count), value);
}

template <class T>
struct ResidualNormProblem {
  NormType type;
  Dropout dropout;
  std::int64_t rows, columns;
  std::vector<T> x, delta, dy, dsum, gain, bias;

  ResidualNormProblem(NormType norm_type, double p, std::int64_t r, std::int64_t c)
      : type(norm_type),
        dropout(p, heddle::random_stream({1, 2, 0, 0}, 9)),
        rows(r),
        columns(c),
        x(random_values<T>(r * c, 1)),
        delta(random_values<T>(r * c, 2)),
        dy(random_values<T>(r * c, 3)),
        dsum(random_values<T>(r * c, 4)),
        gain(random_values<T>(c, 5)),
        bias(random_values<T>(c, 6)) {}

  Norm<T> norm() const {
    return {type, 1e-5, gain.data(), type == NormType::kLayerNorm ? bias.data() : nullptr};
  }
  // mask * scale of element i
  T factor(std::int64_t i) const {
    return dropout_keeps(dropout, static_cast<std::uint64_t>(i / columns),
                         static_cast<std::uint32_t>(i % columns))
               ? static_cast<T>(dropout.scale)
               : T{0};
  }
};

struct Arrives {
  bool at_y, at_sum;
};

// What the fused kernel gives.
template <class T>
struct Fused {
  std::vector<T> sum, y, mean, rstd, dx, ddelta, dgain, dbias;

  Fused(const ResidualNormProblem<T>& p, Arrives arrives, bool add, int threads)
      : sum(filled<T>(p.rows * p.columns)),
        y(sum),
        mean(filled<T>(p.rows)),
        rstd(mean),
        dx(filled<T>(p.rows * p.columns, add ? T{3} : std::numeric_limits<T>::quiet_NaN())),
        ddelta(dx),
        dgain(filled<T>(p.columns, dx[0])),
        dbias(dgain) {
    std::vector<T> scratch = filled<T>(norm_scratch(p.rows, p.columns));
    heddle::kernels::residual_norm(p.norm(), p.dropout, p.rows, p.columns, p.x.data(),
                                   p.delta.data(), sum.data(), y.data(), {mean.data(), rstd.data()},
                                   threads);
    heddle::kernels::residual_norm_backward<T>(
        p.norm(), p.dropout, p.rows, p.columns,
        {arrives.at_y ? p.dy.data() : nullptr, arrives.at_sum ? p.dsum.data() : nullptr},
        sum.data(), {mean.data(), rstd.data()}, {{dx.data(), add}, {ddelta.data(), add}},
        {{dgain.data(), add}, {dbias.data(), add}, scratch.data()}, threads);
  }
};

// The same from its parts: a masked sum in plain loops and the norm kernel, tested on its own.
template <class T>
struct Composed {
  std::vector<T> sum, y, mean, rstd, dx, ddelta, dgain, dbias;

  Composed(const ResidualNormProblem<T>& p, Arrives arrives)
      : sum(filled<T>(p.rows * p.columns)),
        y(sum),
        mean(filled<T>(p.rows)),
        rstd(mean),
        dx(filled<T>(p.rows * p.columns, T{0})),
        ddelta(dx),
        dgain(filled<T>(p.columns, T{0})),
        dbias(dgain) {
    const std::int64_t n = p.rows * p.columns;
    for (std::int64_t i = 0; i < n; ++i) {
      sum.data()[i] = p.x.data()[i] + p.delta.data()[i] * p.factor(i);
    }
    std::vector<T> scratch = filled<T>(norm_scratch(p.rows, p.columns));
    heddle::kernels::norm(p.norm(), p.rows, p.columns, sum.data(), y.data(),
                          {mean.data(), rstd.data()}, 1);
    if (arrives.at_y) {
      heddle::kernels::norm_backward<T>(p.norm(), p.rows, p.columns, p.dy.data(), sum.data(),
                                        {mean.data(), rstd.data()}, {dx.data()},
                                        {{dgain.data()}, {dbias.data()}, scratch.data()}, 1);
    }
    for (std::int64_t i = 0; i < n; ++i) {
      if (arrives.at_sum) dx.data()[i] += p.dsum.data()[i];
      ddelta.data()[i] = dx.data()[i] * p.factor(i);
    }
  }
};

template <class T>
double worst_of(const std::vector<T>& actual, const std::vector<T>& expected, double offset = 0.0) {
  double result = actual.size() == expected.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    const double error = std::abs(actual[i] - offset - expected[i]) / (1.0 + std::abs(expected[i]));
    result = worse_of(result, error);
  }
  return result;
}

template <class T>
void compare(const ResidualNormProblem<T>& p, Arrives arrives, bool add, double tolerance) {
  const Fused<T> fused(p, arrives, add, 1);
  const Composed<T> composed(p, arrives);
  const double offset = add ? 3.0 : 0.0;
  CAPTURE(p.rows);
  CAPTURE(p.columns);
  CAPTURE(arrives.at_y);
  CAPTURE(arrives.at_sum);
  CHECK(worst_of(fused.sum, composed.sum) < tolerance);
  CHECK(worst_of(fused.y, composed.y) < tolerance);
  CHECK(worst_of(fused.rstd, composed.rstd) < tolerance);
  CHECK(worst_of(fused.dx, composed.dx, offset) < tolerance);
  CHECK(worst_of(fused.ddelta, composed.ddelta, offset) < tolerance);
  CHECK(worst_of(fused.dgain, composed.dgain, offset) < tolerance);
  if (p.type == NormType::kLayerNorm) {
    CHECK(worst_of(fused.mean, composed.mean) < tolerance);
    CHECK(worst_of(fused.dbias, composed.dbias, offset) < tolerance);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("residual_norm equals sum, then norm", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  for (const NormType type : {NormType::kLayerNorm, NormType::kRmsNorm}) {
    for (const double p : {0.0, 0.3}) {
      for (const auto& size :
           {std::array<std::int64_t, 2>{1, 2}, {3, 16}, {8, 40}, {141, 70}, {9, 4100}}) {
        const std::int64_t rows = size[0];
        const std::int64_t columns = size[1];
        const ResidualNormProblem<T> problem(type, p, rows, columns);
        for (const Arrives arrives : {Arrives{true, false}, {true, true}, {false, true}}) {
          for (const bool add : {false, true}) compare(problem, arrives, add, tolerance);
        }
      }
    }
  }
}

TEST_CASE("residual_norm_backward agrees with central differences") {
  const ResidualNormProblem<double> p(NormType::kLayerNorm, 0.3, 9, 11);
  const Fused<double> fused(p, {true, true}, false, 1);
  const auto loss = [&](const ResidualNormProblem<double>& at) {
    const Fused<double> result(at, {true, true}, false, 1);
    double sum = 0.0;
    for (std::size_t i = 0; i < result.y.size(); ++i) {
      sum += result.y[i] * p.dy[i] + result.sum[i] * p.dsum[i];
    }
    return sum;
  };
  const auto check = [&](std::vector<double> ResidualNormProblem<double>::*input,
                         const std::vector<double>& gradient) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      ResidualNormProblem<double> up = p;
      ResidualNormProblem<double> down = p;
      (up.*input)[i] += 1e-5;
      (down.*input)[i] -= 1e-5;
      const double numeric = (loss(up) - loss(down)) / 2e-5;
      CHECK(gradient[i] == doctest::Approx(numeric).epsilon(1e-6));
    }
  };
  check(&ResidualNormProblem<double>::x, fused.dx);
  check(&ResidualNormProblem<double>::delta, fused.ddelta);
  check(&ResidualNormProblem<double>::gain, fused.dgain);
  check(&ResidualNormProblem<double>::bias, fused.dbias);
}

TEST_CASE_TEMPLATE("residual_add and its backward equal plain loops", T, float, double) {
  for (const double probability : {0.0, 0.3}) {
    const ResidualNormProblem<T> p(NormType::kLayerNorm, probability, 19, 77);
    const Composed<T> composed(p, {false, true});
    std::vector<T> sum = filled<T>(19 * 77);
    heddle::kernels::residual_add(p.dropout, 19, 77, p.x.data(), p.delta.data(), sum.data(), 1);
    CHECK(worst_of(sum, composed.sum) < 1e-6);

    std::vector<T> dx = filled<T>(19 * 77);
    std::vector<T> ddelta = filled<T>(19 * 77, T{5});
    heddle::kernels::residual_add_backward<T>(p.dropout, 19, 77, p.dsum.data(),
                                              {{dx.data()}, {ddelta.data(), true}}, 1);
    CHECK(dx == p.dsum);
    CHECK(worst_of(ddelta, composed.ddelta, 5.0) < 1e-6);
    std::vector<T> alone = filled<T>(19 * 77);
    heddle::kernels::residual_add_backward<T>(p.dropout, 19, 77, p.dsum.data(),
                                              {{}, {alone.data()}}, 1);
    CHECK(alone == composed.ddelta);
  }
}

TEST_CASE("residual_norm has the same bits on any number of threads") {
  const ResidualNormProblem<float> p(NormType::kLayerNorm, 0.1, 1003, 66);
  const Fused<float> one(p, {true, true}, true, 1);
  for (int threads = 2; threads <= 4; ++threads) {
    const Fused<float> several(p, {true, true}, true, threads);
    CHECK(several.sum == one.sum);
    CHECK(several.y == one.y);
    CHECK(several.dx == one.dx);
    CHECK(several.ddelta == one.ddelta);
    CHECK(several.dgain == one.dgain);
    CHECK(several.dbias == one.dbias);
  }
}
