// The fused loss and its three gradients against plain loops in double: one chunk of rows and
// several, smoothing, bias, rows of the weight that are no class.
#include "autograd/kernels/cross_entropy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using testing::random_values;

struct Case {
  const char* name;
  std::int64_t rows, columns, vocabulary, classes;
  double smoothing;
  bool bias;
  double spread = 1.0;  // of x
};

constexpr Case kCases[] = {
    {"one of everything", 1, 1, 1, 1, 0.0, false},     {"plain", 9, 4, 7, 7, 0.0, false},
    {"smoothing, bias", 9, 4, 7, 7, 0.1, true},        {"one class is none", 9, 5, 8, 7, 0.2, true},
    {"large logits", 6, 5, 8, 8, 0.1, true, 900.0},    {"three chunks", 2100, 3, 5, 4, 0.1, true},
    {"two chunks, no bias", 1025, 2, 3, 3, 0.0, false}};

template <class T>
struct Problem {
  Case c;
  std::vector<T> x, weight, bias;
  std::vector<std::int32_t> targets;
  std::vector<double> row_weights;
  std::vector<T> dx, dweight, dbias;  // garbage before

  explicit Problem(const Case& of) : c(of) {
    x = random_values<T>(c.rows * c.columns, 1, -c.spread, c.spread);
    weight = random_values<T>(c.vocabulary * c.columns, 2);
    bias = random_values<T>(c.vocabulary, 3);
    for (const double t : random_values(c.rows, 4, 0.0, static_cast<double>(c.classes))) {
      targets.push_back(static_cast<std::int32_t>(t));
    }
    row_weights = random_values(c.rows, 5, 0.1, 1.0);
    fill(std::numeric_limits<T>::quiet_NaN());
  }

  void fill(T value) {
    dx.assign(x.size(), value);
    dweight.assign(weight.size(), value);
    dbias.assign(bias.size(), value);
  }

  CrossEntropyInput<T> input() const {
    return {c.rows,
            c.columns,
            c.vocabulary,
            c.classes,
            x.data(),
            weight.data(),
            c.bias ? bias.data() : nullptr,
            targets.data(),
            row_weights.data(),
            c.smoothing};
  }

  double run(bool add, int threads = 1) {
    Arena scratch;
    return cross_entropy<T>(input(), {{dx.data(), add}, {dweight.data(), add}, {dbias.data(), add}},
                            scratch, threads);
  }
};

struct Oracle {
  double loss = 0.0;
  std::vector<double> dx, dweight, dbias;

  explicit Oracle(const Problem<double>& p)
      : dx(p.x.size()), dweight(p.weight.size()), dbias(p.bias.size()) {
    for (std::int64_t i = 0; i < p.c.rows; ++i) add_row(p, i);
  }

  void add_row(const Problem<double>& p, std::int64_t row) {
    const auto columns = static_cast<std::size_t>(p.c.columns);
    const auto classes = static_cast<std::size_t>(p.c.classes);
    const std::size_t first = static_cast<std::size_t>(row) * columns;
    std::vector<double> logits(classes);
    for (std::size_t j = 0; j < classes; ++j) {
      if (p.c.bias) logits[j] = p.bias[j];
      for (std::size_t k = 0; k < columns; ++k) {
        logits[j] += p.x[first + k] * p.weight[j * columns + k];
      }
    }
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const double z : logits) sum += std::exp(z - largest);
    const double row_weight = p.row_weights[static_cast<std::size_t>(row)];
    const double spread = p.c.smoothing / static_cast<double>(classes);
    for (std::size_t j = 0; j < classes; ++j) {
      const bool hit = static_cast<std::int32_t>(j) == p.targets[static_cast<std::size_t>(row)];
      const double share = (hit ? 1.0 - p.c.smoothing : 0.0) + spread;
      const double log_p = logits[j] - largest - std::log(sum);
      loss -= row_weight * share * log_p;
      const double dz = row_weight * (std::exp(log_p) - share);
      dbias[j] += dz;
      for (std::size_t k = 0; k < columns; ++k) {
        dx[first + k] += dz * p.weight[j * columns + k];
        dweight[j * columns + k] += dz * p.x[first + k];
      }
    }
  }
};

// |a - b| relative to the largest |a|; infinite where b is not finite.
template <class T>
double difference(const std::vector<double>& a, const std::vector<T>& b) {
  double largest = 1e-30, worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(a[i]));
    worst = std::max(worst, std::abs(a[i] - static_cast<double>(b[i])));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("cross_entropy: loss and gradients equal plain loops, overwriting and adding") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    Problem<double> p(c);
    const Oracle oracle(p);
    for (const bool add : {false, true}) {
      CAPTURE(add);
      if (add) p.fill(0.5);
      CHECK(p.run(add) == doctest::Approx(oracle.loss).epsilon(1e-12));
      if (add) {
        for (auto* gradient : {&p.dx, &p.dweight, &p.dbias}) {
          for (double& g : *gradient) g -= 0.5;
        }
      }
      const double bound = c.classes == 1 ? 1.0 : 1e-12;
      CHECK(difference(oracle.dx, p.dx) <= bound);
      CHECK(difference(oracle.dweight, p.dweight) <= bound);
      CHECK(difference(oracle.dbias, p.dbias) <= bound);
    }
  }
}

TEST_CASE("cross_entropy: float stays near double") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    Problem<float> p(c);
    Problem<double> reference(c);
    const Oracle oracle(reference);
    CHECK(p.run(false) == doctest::Approx(oracle.loss).epsilon(1e-5));
    const double bound = c.classes == 1 ? 1.0 : c.spread > 1.0 ? 1e-3 : 2e-5;
    CHECK(difference(oracle.dx, p.dx) <= bound);
    CHECK(difference(oracle.dweight, p.dweight) <= bound);
  }
}

TEST_CASE("cross_entropy: any gradient may be unwanted, the loss stays the same") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    Problem<double> all(c);
    const double loss = all.run(false);
    Problem<double> p(c);
    Arena scratch;
    CHECK(cross_entropy<double>(p.input(), {}, scratch, 1) == doctest::Approx(loss).epsilon(1e-13));
    cross_entropy<double>(p.input(), {{p.dx.data()}, {}, {}}, scratch, 1);
    cross_entropy<double>(p.input(), {{}, {p.dweight.data()}, {}}, scratch, 1);
    cross_entropy<double>(p.input(), {{}, {}, {p.dbias.data()}}, scratch, 1);
    CHECK(p.dx == all.dx);
    CHECK(p.dweight == all.dweight);
    CHECK(p.dbias == all.dbias);
  }
}

TEST_CASE("cross_entropy: the bits do not depend on the number of threads") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    Problem<float> one(c);
    const double loss = one.run(false, 1);
    for (const int threads : {2, 3, 4}) {
      Problem<float> p(c);
      CHECK(p.run(false, threads) == loss);
      CHECK(p.dx == one.dx);
      CHECK(p.dweight == one.dweight);
      CHECK(p.dbias == one.dbias);
    }
  }
}

}  // namespace heddle::kernels
