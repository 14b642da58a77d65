#include "tests/support/op_cases.h"

#include "tests/support/random_values.h"

namespace heddle::testing {

Values values_of(const OpInput& input, std::size_t index) {
  return {input.shape, random_values(input.shape.elements(), 100 + index, input.low, input.high)};
}

std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  add_pointwise_cases(cases);
  add_arithmetic_cases(cases);
  add_shaping_cases(cases);
  add_reduction_cases(cases);
  add_matrix_cases(cases);
  add_norm_cases(cases);
  add_attention_cases(cases);
  add_token_cases(cases);
  add_rotary_cases(cases);
  add_gated_cases(cases);
  return cases;
}

}  // namespace heddle::testing
