// What a user of the installed library writes first: the example of README.md. Exits with 0 where
// the gradient check passes.
#include <iostream>
#include <span>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/ops/ops.h"

using namespace heddle;

int main() try {
  ParameterStore store(DType::kFloat64);
  const Scope layer(store, "feed_forward");
  const Parameter weight = layer.declare("weight", {32, 8}, Initialiser::xavier_uniform(8, 32));
  const Parameter bias = layer.declare("bias", {32}, Initialiser::constant(0.0));
  store.allocate();
  store.initialise(/*seed=*/1);

  const auto loss = [&](Context& context) {
    const std::vector<double> values(3 * 8, 0.5);
    const Tensor x = context.constant({3, 8}, std::span<const double>(values));
    const Tensor h = linear(context, x, context.use(weight), context.use(bias), Activation::kGelu);
    return sum_all(context, mul(context, h, h));
  };

  GradientSlab gradients(store);
  Context context(gradients);
  context.begin(Mode::kTraining, {.seed = 1, .update = 1});
  context.backward(loss(context));

  const GradcheckReport report = gradcheck("feed_forward", store, loss);
  std::cout << report.message() << '\n';
  return report.passed() && gradients.written(weight) && gradients.written(bias) ? 0 : 1;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
