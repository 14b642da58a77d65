// The fused loss against plain loops in double, at a size that takes several chunks of rows and
// leaves some rows of the weight without a class.
#include "autograd/kernels/cross_entropy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace {

using heddle::kernels::CrossEntropyGradients;
using heddle::testing::random_values;
using heddle::testing::worst_error;

constexpr std::int64_t kRows = 1300, kColumns = 7, kVocabulary = 702, kClasses = 700;

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

template <class T>
struct Problem {
  double smoothing = 0.1;
  std::vector<T> x = random_values<T>(kRows * kColumns, 1);
  std::vector<T> weight = random_values<T>(kVocabulary * kColumns, 2);
  std::vector<T> bias = random_values<T>(kVocabulary, 3);
  std::vector<double> row_weights = random_values(kRows, 4, 0.1, 1.0);
  std::vector<std::int32_t> targets;
  bool biased = true;

  Problem() {
    for (std::int64_t i = 0; i < kRows; ++i) {
      targets.push_back(static_cast<std::int32_t>(i * 37 % kClasses));
    }
    targets[5] = targets.back() = kClasses - 1;  // the first row has the first class
    // Reading what belongs to no class would show.
    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    std::fill(weight.begin() + kClasses * kColumns, weight.end(), nan);
    std::fill(bias.begin() + kClasses, bias.end(), nan);
  }

  double loss(const CrossEntropyGradients<T>& gradients, int threads) const {
    heddle::Arena scratch;
    return heddle::kernels::cross_entropy<T>(
        {kRows, kColumns, kVocabulary, kClasses, x.data(), weight.data(),
         biased ? bias.data() : nullptr, targets.data(), row_weights.data(), smoothing},
        gradients, scratch, threads);
  }
};

// Memory for the gradients: NaN where they overwrite, known values where they add.
template <class T>
struct Result {
  std::vector<T> x, weight, bias;
  double loss = 0.0;

  static double before(std::size_t i) { return static_cast<double>(i % 5) - 2.0; }

  Result(const Problem<T>& problem, bool add, int threads)
      : x(memory(kRows * kColumns, add)),
        weight(memory(kVocabulary * kColumns, add)),
        bias(memory(kVocabulary, add)) {
    loss = problem.loss({{x.data(), add}, {weight.data(), add}, {bias.data(), add}}, threads);
  }

  friend bool operator==(const Result&, const Result&) = default;

  static std::vector<T> memory(std::int64_t count, bool add) {
    std::vector<T> values(at(count), std::numeric_limits<T>::quiet_NaN());
    for (std::size_t i = 0; add && i < values.size(); ++i) values[i] = static_cast<T>(before(i));
    return values;
  }
};

// The formulas of cross_entropy.h, row by row.
struct Oracle {
  std::vector<double> x, weight, bias;
  double loss = 0.0;

  template <class T>
  Oracle(const Problem<T>& p, bool add)
      : x(Result<double>::memory(kRows * kColumns, true)),
        weight(Result<double>::memory(kVocabulary * kColumns, true)),
        bias(Result<double>::memory(kVocabulary, true)) {
    if (!add) {
      for (std::vector<double>* all : {&x, &weight, &bias})
        std::fill(all->begin(), all->end(), 0.0);
    }
    for (std::int64_t i = 0; i < kRows; ++i) add_row(p, i);
  }

  template <class T>
  void add_row(const Problem<T>& p, std::int64_t i) {
    std::vector<double> z(kClasses);
    for (std::int64_t j = 0; j < kClasses; ++j) {
      z[at(j)] = p.biased ? static_cast<double>(p.bias[at(j)]) : 0.0;
      for (std::int64_t c = 0; c < kColumns; ++c) {
        z[at(j)] += static_cast<double>(p.x[at(i * kColumns + c)]) *
                    static_cast<double>(p.weight[at(j * kColumns + c)]);
      }
    }
    const double largest = *std::max_element(z.begin(), z.end());
    double sum = 0.0;
    for (const double logit : z) sum += std::exp(logit - largest);
    const double logsumexp = largest + std::log(sum);
    for (std::int64_t j = 0; j < kClasses; ++j) {
      const double hit = j == p.targets[at(i)] ? 1.0 - p.smoothing : 0.0;
      const double share = hit + p.smoothing / static_cast<double>(kClasses);
      loss += p.row_weights[at(i)] * share * (logsumexp - z[at(j)]);
      const double dz = p.row_weights[at(i)] * (std::exp(z[at(j)] - logsumexp) - share);
      bias[at(j)] += dz;
      for (std::int64_t c = 0; c < kColumns; ++c) {
        x[at(i * kColumns + c)] += dz * static_cast<double>(p.weight[at(j * kColumns + c)]);
        weight[at(j * kColumns + c)] += dz * static_cast<double>(p.x[at(i * kColumns + c)]);
      }
    }
  }
};

double largest_of(const std::vector<double>& values) {
  double largest = 1e-30;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

template <class T>
void check_against(const Oracle& oracle, const Result<T>& result, double bound) {
  CHECK(std::abs(result.loss - oracle.loss) <= bound * std::abs(oracle.loss));
  CHECK(worst_error(result.x, oracle.x) <= bound * largest_of(oracle.x));
  CHECK(worst_error(result.weight, oracle.weight) <= bound * largest_of(oracle.weight));
  CHECK(worst_error(result.bias, oracle.bias) <= bound * largest_of(oracle.bias));
}

template <class T>
constexpr double kBound = sizeof(T) == 4 ? 1e-5 : 1e-13;

}  // namespace

TEST_CASE_TEMPLATE("cross entropy and its gradients equal plain loops", T, float, double) {
  const Problem<T> problem;
  for (const bool add : {false, true}) {
    CAPTURE(add);
    const Result<T> result(problem, add, 1);
    check_against(Oracle(problem, add), result, kBound<T>);
    for (std::int64_t i = kClasses * kColumns; i < kVocabulary * kColumns; ++i) {
      CHECK(result.weight[at(i)] == (add ? Result<T>::before(at(i)) : 0.0));
    }
    for (std::int64_t i = kClasses; i < kVocabulary; ++i) {
      CHECK(result.bias[at(i)] == (add ? Result<T>::before(at(i)) : 0.0));
    }
  }
}

TEST_CASE_TEMPLATE("cross entropy without bias and smoothing equals plain loops", T, float,
                   double) {
  Problem<T> problem;
  problem.biased = false;
  problem.smoothing = 0.0;
  Result<T> result(problem, false, 1);
  check_against(Oracle(problem, false), result, kBound<T>);
}

TEST_CASE_TEMPLATE("cross entropy has the same bits on any number of threads", T, float, double) {
  const Problem<T> problem;
  for (const bool add : {false, true}) {
    const Result<T> one(problem, add, 1);
    for (const int threads : {2, 3}) CHECK(Result<T>(problem, add, threads) == one);
  }
  const double loss = problem.loss({}, 1);
  for (const int threads : {2, 3}) CHECK(problem.loss({}, threads) == loss);
}

TEST_CASE_TEMPLATE("any gradient of cross entropy may be unwanted", T, float, double) {
  const Problem<T> problem;
  const Result<T> all(problem, false, 1);
  // Without any, another product makes the logits.
  CHECK(std::abs(problem.loss({}, 1) - all.loss) <= kBound<T> * all.loss);

  std::vector<T> x(all.x.size()), weight(all.weight.size()), bias(all.bias.size());
  CHECK(problem.loss({{x.data()}, {}, {}}, 1) == all.loss);
  CHECK(problem.loss({{}, {weight.data()}, {}}, 1) == all.loss);
  CHECK(problem.loss({{}, {}, {bias.data()}}, 1) == all.loss);
  CHECK(x == all.x);
  CHECK(weight == all.weight);
  CHECK(bias == all.bias);
}

TEST_CASE_TEMPLATE("cross entropy of logits of 10,000 is finite", T, float, double) {
  Problem<T> problem;
  for (std::size_t j = 0; j < kClasses; ++j) problem.bias[j] = j % 2 == 0 ? T{10000} : T{-10000};
  for (T& value : problem.x) value *= T{1000};
  const Result<T> result(problem, false, 1);
  // Rounding of a logit of 10,000 is an absolute error of its probability.
  check_against(Oracle(problem, false), result, sizeof(T) == 4 ? 2e-2 : 1e-10);
  CHECK(std::isfinite(problem.loss({}, 1)));
}

TEST_CASE("cross_entropy: chunks that the bytes of their logits bound add up") {
  constexpr std::int64_t kMany = 70000, kLines = 100, kPart = 20, kWidth = 3;
  const auto x = random_values<double>(kLines * kWidth, 1);
  const auto weight = random_values<double>(kMany * kWidth, 2);
  const std::vector<double> row_weights(kLines, 0.5);
  std::vector<std::int32_t> targets;
  for (std::int64_t i = 0; i < kLines; ++i) targets.push_back(static_cast<std::int32_t>(i * 699));
  std::vector<double> whole_x(x.size()), parts_x(x.size());
  std::vector<double> whole_weight(weight.size()), parts_weight(weight.size());
  const auto run = [&](std::int64_t first, std::int64_t rows, double* dx, double* dweight) {
    heddle::Arena scratch;
    return heddle::kernels::cross_entropy<double>(
        {rows, kWidth, kMany, kMany, x.data() + first * kWidth, weight.data(), nullptr,
         targets.data() + first, row_weights.data() + first, 0.1},
        {{dx + first * kWidth, false}, {dweight, first > 0}, {}}, scratch, 1);
  };
  const double whole = run(0, kLines, whole_x.data(), whole_weight.data());
  double parts = 0.0;
  for (std::int64_t first = 0; first < kLines; first += kPart) {
    parts += run(first, kPart, parts_x.data(), parts_weight.data());
  }
  CHECK(whole == doctest::Approx(parts).epsilon(1e-12));
  CHECK(worst_error(whole_x, parts_x) < 1e-12);
  CHECK(worst_error(whole_weight, parts_weight) < 1e-12);
}
