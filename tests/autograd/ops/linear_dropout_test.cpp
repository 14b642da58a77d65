// Dropout as the epilogue of a product: the same bits as an operation of its own behind it.
#include <doctest/doctest.h>

#include <vector>

#include "autograd/ops/ops.h"
#include "tests/support/throws.h"

using namespace heddle;

namespace {

struct Result {
  std::vector<float> y, dx, dweight, dbias;
  friend bool operator==(const Result&, const Result&) = default;
};

template <class Forward>
Result run(Activation activation, const Forward& forward) {
  ParameterStore store(DType::kFloat32);
  const Parameter weight = store.declare("weight", {37, 19}, Initialiser::normal(1.0));
  const Parameter bias = store.declare("bias", {37}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(3);
  GradientSlab gradients(store);
  Context context(gradients, 2);
  context.begin(Mode::kTraining, {.seed = 5, .update = 7});
  std::vector<float> values(21 * 19);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * 7 % 23) / 11.0F - 1.0F;
  }
  const Tensor x = context.leaf({21, 19}, std::span<const float>(values));
  const Tensor y = forward(context, x, context.use(weight), context.use(bias), activation);
  context.retain(y);
  context.backward(sum_all(context, mul(context, y, y)));
  const auto copy = [](const void* data, std::size_t count) {
    const auto* const begin = static_cast<const float*>(data);
    return std::vector<float>(begin, begin + count);
  };
  return {copy(y.data, 21 * 37), copy(context.gradient(x).data, values.size()),
          copy(gradients.data(weight), 37 * 19), copy(gradients.data(bias), 37)};
}

}  // namespace

TEST_CASE("linear: dropout in its epilogue gives the bits of dropout behind it") {
  for (const Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kSilu}) {
    CAPTURE(static_cast<int>(activation));
    const Result fused =
        run(activation, [](Context& c, const Tensor& x, const Tensor& w, const Tensor& b,
                           Activation a) { return linear(c, x, w, b, a, 0.3); });
    const Result apart =
        run(activation, [](Context& c, const Tensor& x, const Tensor& w, const Tensor& b,
                           Activation a) { return dropout(c, linear(c, x, w, b, a), 0.3); });
    CHECK(fused == apart);
    const auto zeros = std::ranges::count(fused.y, 0.0F);
    CHECK(zeros > 21 * 37 / 5);
    CHECK(zeros < 21 * 37 * 4 / 5);
  }
}

TEST_CASE("linear: off in inference, and refused where backward reads the result") {
  Context context;
  context.begin(Mode::kInference);
  const std::vector<float> ones(6, 1.0F);
  const Tensor x = context.constant({2, 3}, std::span<const float>(ones));
  const Tensor weight = context.constant({2, 3}, std::span<const float>(ones));
  const Tensor y = linear(context, x, weight, {}, Activation::kRelu, 0.9);
  for (int i = 0; i < 4; ++i) CHECK(y.as<float>()[i] == 3.0F);
  for (const Activation activation : {Activation::kTanh, Activation::kSigmoid}) {
    CHECK_MESSAGE_THROWN(linear(context, x, weight, {}, activation, 0.1),
                         "linear: dropout behind tanh or sigmoid is an operation of its own");
  }
  CHECK_MESSAGE_THROWN(linear(context, x, weight, {}, Activation::kRelu, 1.5),
                       "linear: probability of dropout 1.5 is outside [0, 1)");
}
