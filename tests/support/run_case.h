// Running a case of the table in a type, on a number of threads, forward and backward.
#pragma once

#include <vector>

#include "tests/support/op_cases.h"

namespace heddle::testing {

struct CaseResult {
  Shape shape;
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;  // of every input

  friend bool operator==(const CaseResult&, const CaseResult&) = default;
};

/// Runs `function` on the inputs of `op_case` and goes back with random gradients of the result (1
/// where it is one element).
CaseResult run_case(const OpCase& op_case, const OpFunction& function, DType dtype,
                    int threads = 1);

/// The largest |a - b| relative to the largest |a| (at least 1e-30): infinite where sizes differ or
/// a value is not finite.
double worst_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace heddle::testing
