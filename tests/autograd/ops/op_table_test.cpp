// Every operation of the table: its values, its gradients, both precisions, any number of threads.
#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "autograd/gradcheck.h"
#include "tests/support/compare.h"
#include "tests/support/op_cases.h"
#include "tests/support/run_case.h"

using heddle::DType;
using heddle::GradcheckReport;
using heddle::ParameterStore;
using heddle::Tensor;
using namespace heddle::testing;

namespace {

std::string title(const OpCase& op_case) {
  std::ostringstream out;
  out << op_case.op << (op_case.label.empty() ? "" : ", ") << op_case.label;
  for (const OpInput& input : op_case.inputs) out << ' ' << input.name << input.shape;
  return out.str();
}

// The inputs of a case as parameters.
void fill(ParameterStore& store, const OpCase& op_case) {
  for (const OpInput& input : op_case.inputs) store.declare(input.name, input.shape, {});
  store.allocate();
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    const Values values = values_of(op_case.inputs[i], i);
    const heddle::Parameter parameter = store.find(op_case.inputs[i].name);
    std::copy(values.data.begin(), values.data.end(), static_cast<double*>(store.data(parameter)));
  }
}

}  // namespace

TEST_CASE("every operation gives the values of its definition") {
  for (const OpCase& op_case : op_cases()) {
    if (op_case.large) continue;
    CAPTURE(title(op_case));
    const CaseResult result = run_case(op_case, op_case.run, DType::kFloat64);
    std::vector<double> expected;
    if (op_case.naive) {
      std::vector<Values> inputs;
      for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
        inputs.push_back(values_of(op_case.inputs[i], i));
      }
      expected = op_case.naive(inputs);
    } else {
      REQUIRE(op_case.composed);
      expected = run_case(op_case, op_case.composed, DType::kFloat64).value;
    }
    CHECK(worst_difference(expected, result.value) <= 1e-13);
  }
}

TEST_CASE("every operation has the gradient that differences give") {
  for (const OpCase& op_case : op_cases()) {
    if (op_case.large) continue;
    ParameterStore store(DType::kFloat64);
    fill(store, op_case);
    const auto function = [&](heddle::Context& context) {
      std::vector<Tensor> inputs;
      for (std::int32_t i = 0; i < static_cast<std::int32_t>(op_case.inputs.size()); ++i) {
        inputs.push_back(context.use({&store, i, 1}));
      }
      return op_case.run(context, inputs);
    };
    heddle::GradcheckOptions options;
    options.key = kCaseKey;
    const GradcheckReport report = heddle::gradcheck(title(op_case), store, function, options);
    CHECK_MESSAGE(report.passed(), report.message());
    CHECK(report.checked == store.elements());
  }
}

TEST_CASE("fused operations have the gradients of their composition") {
  int compared = 0;
  for (const OpCase& op_case : op_cases()) {
    if (!op_case.composed || op_case.large) continue;
    CAPTURE(title(op_case));
    const CaseResult fused = run_case(op_case, op_case.run, DType::kFloat64);
    const CaseResult composed = run_case(op_case, op_case.composed, DType::kFloat64);
    CHECK(fused.shape == composed.shape);
    double largest = 1e-3;
    for (const auto& gradient : composed.gradients) {
      for (const double g : gradient) largest = std::max(largest, std::abs(g));
    }
    for (std::size_t i = 0; i < fused.gradients.size(); ++i) {
      CAPTURE(op_case.inputs[i].name);
      CHECK(worst_error(fused.gradients[i], composed.gradients[i]) <= 1e-12 * largest);
    }
    ++compared;
  }
  CHECK(compared >= 40);
}

TEST_CASE("float32 stays within the stated bound of float64") {
  for (const OpCase& op_case : op_cases()) {
    CAPTURE(title(op_case));
    const CaseResult single = run_case(op_case, op_case.run, DType::kFloat32);
    const CaseResult reference = run_case(op_case, op_case.run, DType::kFloat64);
    CHECK(worst_difference(reference.value, single.value) <= op_case.float32_bound);
    double largest = 0.0;
    for (const auto& gradient : reference.gradients) {
      for (const double g : gradient) largest = std::max(largest, std::abs(g));
    }
    for (std::size_t i = 0; i < single.gradients.size(); ++i) {
      CAPTURE(op_case.inputs[i].name);
      const double worst = worst_error(single.gradients[i], reference.gradients[i]);
      CHECK(worst <= 10 * op_case.float32_bound * largest);
    }
  }
}

TEST_CASE("results have the same bits on 1 to 4 threads") {
  for (const OpCase& op_case : op_cases()) {
    CAPTURE(title(op_case));
    const CaseResult one = run_case(op_case, op_case.run, DType::kFloat32, 1);
    for (const int threads : {2, 3, 4}) {
      CAPTURE(threads);
      CHECK((run_case(op_case, op_case.run, DType::kFloat32, threads) == one));
    }
  }
}
