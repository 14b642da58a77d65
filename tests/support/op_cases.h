// The table of operation cases: what to run, on which inputs, and what must come out.
//
// One table drives the value test, the gradient test, the comparison of float32 with float64, the
// test of threads, and the benchmark of operations. Small cases are checked by gradient check;
// large ones have the size of a real layer.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle::testing {

struct OpInput {
  std::string name;
  Shape shape;
  double low = -1.0;  // values are uniform in [low, high)
  double high = 1.0;
};

/// A tensor's values on the side of the test.
struct Values {
  Shape shape;
  std::vector<double> data;

  double operator[](std::int64_t i) const { return data[static_cast<std::size_t>(i)]; }
};

using OpFunction = std::function<Tensor(Context&, std::span<const Tensor>)>;
using Oracle = std::function<std::vector<double>(std::span<const Values>)>;

struct OpCase {
  std::string op;     // the function's name in autograd/ops
  std::string label;  // what is special about the case
  std::vector<OpInput> inputs;
  OpFunction run;
  Oracle naive;         // plain loops over doubles, for general operations
  OpFunction composed;  // the same from general operations, for fused ones
  bool large = false;
  double float32_bound = 2e-6;  // largest |float32 - float64|, relative to the largest value
};

/// The step that all cases run in; cases with dropout compute their masks from it.
inline constexpr StepKey kCaseKey{.seed = 11, .update = 3, .micro_batch = 1, .lane = 2};

/// Values of input `index` of a case.
Values values_of(const OpInput& input, std::size_t index);

std::vector<OpCase> op_cases();

// Its parts, by file.
void add_pointwise_cases(std::vector<OpCase>& cases);
void add_arithmetic_cases(std::vector<OpCase>& cases);
void add_shaping_cases(std::vector<OpCase>& cases);
void add_reduction_cases(std::vector<OpCase>& cases);
void add_matrix_cases(std::vector<OpCase>& cases);
void add_norm_cases(std::vector<OpCase>& cases);
void add_attention_cases(std::vector<OpCase>& cases);
void add_token_cases(std::vector<OpCase>& cases);
void add_rotary_cases(std::vector<OpCase>& cases);
void add_gated_cases(std::vector<OpCase>& cases);

}  // namespace heddle::testing
