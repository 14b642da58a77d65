// How every operation writes gradients of parameters: the first write after an update overwrites
// whatever the slab holds, the second one adds, and what nobody wants is not written.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>

#include "autograd/parameter.h"
#include "tests/support/op_cases.h"
#include "tests/support/random_values.h"
#include "tests/support/run_case.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

using Doubles = std::vector<double>;

// The inputs of a case as parameters, and their gradients in a slab that begins full of NaN.
class Step {
 public:
  explicit Step(const OpCase& op_case) : case_(op_case) {
    for (const OpInput& input : case_.inputs) store_.declare(input.name, input.shape, {});
    store_.allocate();
    for (std::size_t i = 0; i < case_.inputs.size(); ++i) {
      const Values values = values_of(case_.inputs[i], i);
      std::copy(values.data.begin(), values.data.end(),
                static_cast<double*>(store_.data(input(i))));
    }
    gradients_ = std::make_unique<GradientSlab>(store_);
    std::fill_n(static_cast<double*>(gradients_->slab()), store_.elements(),
                std::numeric_limits<double>::quiet_NaN());
  }

  Parameter input(std::size_t i) const { return {&store_, static_cast<std::int32_t>(i), 1}; }
  /// Only input i gets a gradient.
  void want_only(std::size_t i) {
    for (std::size_t j = 0; j < case_.inputs.size(); ++j) store_.set_trainable(input(j), i == j);
  }
  void run(int threads = 1) {
    Context c(*gradients_, threads);
    c.begin(Mode::kTraining, kCaseKey);
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < case_.inputs.size(); ++i) inputs.push_back(c.use(input(i)));
    const Tensor y = case_.run(c, inputs);
    const Doubles upstream = y.elements() == 1 ? Doubles{1.0} : random_values(y.elements(), 99);
    c.tape().backward(c, y, c.constant(y.shape, view(upstream)));
  }
  void run_paused() {
    Context c(*gradients_);
    c.begin(Mode::kTraining, kCaseKey);
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < case_.inputs.size(); ++i) inputs.push_back(c.use(input(i)));
    const NoGradient guard(c);
    case_.run(c, inputs);
    CHECK(c.tape().nodes() == 0);
  }
  /// Zero where nothing was written.
  Doubles gradient(std::size_t i) const {
    const auto elements = static_cast<std::size_t>(case_.inputs[i].shape.elements());
    if (!gradients_->written(input(i))) return Doubles(elements, 0.0);
    const auto* values = static_cast<const double*>(gradients_->data(input(i)));
    return {values, values + elements};
  }
  /// Not written, neither by the book nor in memory.
  bool untouched(std::size_t i) const {
    const auto* values = static_cast<const double*>(gradients_->data(input(i)));
    const bool garbage = std::all_of(values, values + case_.inputs[i].shape.elements(),
                                     [](double g) { return std::isnan(g); });
    return garbage && !gradients_->written(input(i));
  }

 private:
  const OpCase& case_;
  ParameterStore store_{DType::kFloat64};
  std::unique_ptr<GradientSlab> gradients_;
};

template <class Body>
void for_each_case(const Body& body) {
  for (const OpCase& op_case : op_cases()) {
    if (op_case.large) continue;
    CAPTURE(op_case.op);
    CAPTURE(op_case.label);
    body(op_case);
  }
}

}  // namespace

TEST_CASE("every operation overwrites garbage, then adds") {
  for_each_case([](const OpCase& op_case) {
    Step step(op_case);
    const CaseResult leaves = run_case(op_case, op_case.run, DType::kFloat64);
    step.run();
    std::vector<Doubles> once;
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
      CAPTURE(op_case.inputs[i].name);
      once.push_back(step.gradient(i));
      CHECK(once[i] == leaves.gradients[i]);
    }
    step.run(2);
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
      CAPTURE(op_case.inputs[i].name);
      for (double& g : once[i]) g *= 2.0;
      CHECK(worst_difference(once[i], step.gradient(i)) <= 1e-14);
    }
  });
}

TEST_CASE("every operation computes each gradient also alone, and writes no other") {
  for_each_case([](const OpCase& op_case) {
    const CaseResult all = run_case(op_case, op_case.run, DType::kFloat64);
    for (std::size_t wanted = 0; wanted < op_case.inputs.size(); ++wanted) {
      CAPTURE(op_case.inputs[wanted].name);
      Step step(op_case);
      step.want_only(wanted);
      step.run();
      for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
        if (i == wanted) {
          CHECK(step.gradient(i) == all.gradients[i]);
        } else {
          CHECK(step.untouched(i));
        }
      }
    }
  });
}

TEST_CASE("operations add in every block of a large gradient") {
  std::set<std::string> seen;
  for (const OpCase& op_case : op_cases()) {
    if (!op_case.large || !seen.insert(op_case.op).second) continue;
    CAPTURE(op_case.op);
    Step step(op_case);
    step.run(2);
    std::vector<Doubles> once;
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) once.push_back(step.gradient(i));
    step.run(2);
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
      CAPTURE(op_case.inputs[i].name);
      for (double& g : once[i]) g *= 2.0;
      CHECK(worst_difference(once[i], step.gradient(i)) <= 1e-12);
    }
  }
  CHECK(seen.size() >= 35);
}

TEST_CASE("operations record nothing and write no gradient while NoGradient lives") {
  for_each_case([](const OpCase& op_case) {
    Step step(op_case);
    step.run_paused();
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) CHECK(step.untouched(i));
  });
}
