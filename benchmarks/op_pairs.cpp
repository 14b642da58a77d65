// Every operation of the table at the size of a real layer, forward and backward with its tape: the
// large cases that the tests run, on one thread. The rate counts the bytes of inputs and result
// once.
#include <algorithm>
#include <memory>
#include <sstream>

#include "benchmarks/report.h"
#include "tests/support/op_cases.h"

namespace heddle::bench {

namespace {

// A case with its inputs ready; a step makes leaves of them, runs the operation and goes back.
class Step {
 public:
  explicit Step(testing::OpCase op_case) : case_(std::move(op_case)) {
    for (std::size_t i = 0; i < case_.inputs.size(); ++i) {
      const testing::Values values = testing::values_of(case_.inputs[i], i);
      inputs_.emplace_back(values.data.begin(), values.data.end());
      bytes_ += inputs_.back().size() * sizeof(float);
    }
    run();
    bytes_ += result_bytes_;
  }

  void run() {
    context_.begin(Mode::kTraining, testing::kCaseKey);
    tensors_.clear();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      tensors_.push_back(context_.leaf(case_.inputs[i].shape, std::span<const float>(inputs_[i])));
    }
    const Tensor y = case_.run(context_, tensors_);
    const Tensor upstream = context_.empty(y.shape, y.dtype);
    std::fill_n(upstream.as<float>(), y.elements(), 1.0F);
    context_.tape().backward(context_, y, upstream);
    result_bytes_ = y.bytes();
  }

  double bytes() const { return static_cast<double>(bytes_); }

 private:
  testing::OpCase case_;
  std::vector<std::vector<float>> inputs_;
  std::vector<Tensor> tensors_;
  Context context_;
  std::size_t bytes_ = 0;
  std::size_t result_bytes_ = 0;
};

}  // namespace

std::vector<Pair> op_pairs() {
  std::vector<Pair> pairs;
  for (const testing::OpCase& op_case : testing::op_cases()) {
    if (!op_case.large) continue;
    std::ostringstream shapes;
    for (const testing::OpInput& input : op_case.inputs) shapes << input.shape << ' ';
    const auto step = std::make_shared<Step>(op_case);
    pairs.push_back({op_case.op + ", forward and backward", shapes.str(), step->bytes(), false,
                     [step] { step->run(); }, nullptr});
  }
  return pairs;
}

}  // namespace heddle::bench
