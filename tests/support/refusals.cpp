#include "tests/support/refusals.h"

#include <doctest/doctest.h>

#include "autograd/ops/linear.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/reduction.h"
#include "tests/support/random_values.h"

namespace heddle::testing {

Tensor tensor_of(Context& context, const Shape& shape, DType dtype) {
  if (!is_floating(dtype)) return context.empty(shape, dtype);
  return dispatch(dtype, "tensor_of", [&](auto zero) {
    const auto values = random_values<decltype(zero)>(shape.elements(), 8, 0.5, 1.5);
    return context.leaf(shape, view(values));
  });
}

TwoParameters::TwoParameters() {
  weight = store.declare("weight", {5, 3}, Initialiser::uniform(1.0));
  bias = store.declare("bias", {5}, Initialiser::uniform(1.0));
  store.allocate();
  store.initialise(1);
}

std::vector<double> Refusals::step(Context& context) const {
  const Tensor x = tensor_of(context, {7, 3});
  const Tensor weight = context.use(parameters_.weight);
  const Tensor y = linear(context, x, weight, context.use(parameters_.bias));
  const Tensor loss = sum_all(context, tanh(context, dropout(context, y, 0.5)));
  context.backward(loss);
  std::vector<double> all{loss.value()};
  for (const Tensor& gradient : {context.gradient(x), context.gradient(weight)}) {
    for (std::int64_t i = 0; i < gradient.elements(); ++i) all.push_back(gradient.value(i));
  }
  return all;
}

void Refusals::check_untouched() {
  CHECK(c.tape().nodes() == 0);
  CHECK_FALSE(gradients_.written(parameters_.weight));
  CHECK_FALSE(gradients_.written(parameters_.bias));
  GradientSlab fresh_gradients(parameters_.store);
  Context fresh(fresh_gradients);
  fresh.begin(Mode::kTraining, kKey);
  CHECK(step(c) == step(fresh));
}

}  // namespace heddle::testing
