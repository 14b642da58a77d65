#include "tests/support/run_case.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/random_values.h"

namespace heddle::testing {

namespace {

template <class T>
std::vector<double> as_doubles(const Tensor& tensor) {
  const T* const values = tensor.as<T>();
  return {values, values + tensor.elements()};
}

template <class T>
CaseResult run_as(const OpCase& op_case, const OpFunction& function, int threads) {
  Context context(threads);
  context.begin(Mode::kTraining, kCaseKey);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    const Values values = values_of(op_case.inputs[i], i);
    const std::vector<T> converted(values.data.begin(), values.data.end());
    inputs.push_back(context.leaf(values.shape, view(converted)));
  }
  const Tensor y = function(context, inputs);
  CaseResult result{y.shape, as_doubles<T>(y), {}};
  const std::vector<T> upstream =
      y.elements() == 1 ? std::vector<T>{T{1}} : random_values<T>(y.elements(), 99);
  context.tape().backward(context, y, context.constant(y.shape, view(upstream)));
  for (const Tensor& input : inputs) {
    result.gradients.push_back(as_doubles<T>(context.gradient(input)));
  }
  return result;
}

}  // namespace

CaseResult run_case(const OpCase& op_case, const OpFunction& function, DType dtype, int threads) {
  return dispatch(dtype, "run_case",
                  [&](auto zero) { return run_as<decltype(zero)>(op_case, function, threads); });
}

double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return infinite;
  double largest = 1e-30;
  double worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return infinite;
    largest = std::max(largest, std::abs(a[i]));
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  return worst / largest;
}

}  // namespace heddle::testing
