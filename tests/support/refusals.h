// A training step in which operations refuse bad input, and the proof that refusals left no trace.
#pragma once

#include <vector>

#include "autograd/context.h"

namespace heddle::testing {

/// A tensor of the running step: a leaf where the type is floating.
Tensor tensor_of(Context& context, const Shape& shape, DType dtype = DType::kFloat32);

struct TwoParameters {
  ParameterStore store{DType::kFloat32};
  Parameter weight, bias;  // [5, 3], [5]

  TwoParameters();
};

class Refusals {
 public:
  Refusals() { c.begin(Mode::kTraining, kKey); }

  Tensor operator()(const Shape& shape) { return tensor_of(c, shape); }
  Tensor float64(const Shape& shape) { return tensor_of(c, shape, DType::kFloat64); }
  Tensor int32(const Shape& shape) { return tensor_of(c, shape, DType::kInt32); }
  Tensor mask(const Shape& shape) { return tensor_of(c, shape, DType::kUInt8); }
  Tensor weight() { return c.use(parameters_.weight); }
  Tensor bias() { return c.use(parameters_.bias); }

  /// Nothing was recorded, no gradient of a parameter counts as written, and the step goes on with
  /// the values, dropout masks and gradients that it has without refusals.
  void check_untouched();

 private:
  static constexpr StepKey kKey{.seed = 5, .update = 2};
  // All that a small step computes.
  std::vector<double> step(Context& context) const;

  TwoParameters parameters_;
  GradientSlab gradients_{parameters_.store};

 public:
  Context c{gradients_};
};

}  // namespace heddle::testing
