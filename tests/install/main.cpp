// What a user of the installed library writes first: the example of README.md, and a Transformer
// from a config. Exits with 0 where the gradient check passes.
#include <iostream>
#include <span>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/ops/ops.h"
#include "layers/transformer.h"

using namespace heddle;

namespace {

bool encodes_a_sentence() {
  const ConfigDocument document =
      ConfigDocument::parse(R"({"d_model": 16, "heads": 2, "d_ff": 32, "layers": 1})", "model");
  ParameterStore store(DType::kFloat32);
  const Transformer transformer(Scope(store), document.root(), {{50}, {50}});
  document.finish();
  store.allocate();
  store.initialise(/*seed=*/1);
  const std::vector<std::int32_t> ids{7, 12, Vocabulary::kEnd};
  const std::vector<Sequence> sentence{{0, 3}};
  Context context;
  context.begin(Mode::kInference);
  return transformer.encode(context, {ids, sentence}).states.shape == Shape{3, 16};
}

}  // namespace

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
  return encodes_a_sentence() && report.passed() && gradients.written(weight) &&
                 gradients.written(bias)
             ? 0
             : 1;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
