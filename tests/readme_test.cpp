// The example of README.md, word for word.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "autograd/ops/ops.h"
#include "tests/support/documents.h"

using namespace heddle;

// clang-format off
TEST_CASE("the example of the README computes a gradient and checks it") {
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
context.backward(loss(context));                     // gradients.data(weight) is dloss/dweight

const GradcheckReport report = gradcheck("feed_forward", store, loss);   // central differences

CHECK_MESSAGE(report.passed(), report.message());
CHECK(report.checked == 32 * 8 + 32);
CHECK(gradients.written(weight));
CHECK(std::isfinite(static_cast<const double*>(gradients.data(weight))[0]));
}
// clang-format on

TEST_CASE("the README shows this very code") {
  heddle::testing::check_shown_code("README.md", "tests/readme_test.cpp", 1);
}
