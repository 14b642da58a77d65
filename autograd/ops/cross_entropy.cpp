#include "autograd/ops/cross_entropy.h"

#include "autograd/kernels/cross_entropy.h"
#include "autograd/op.h"

namespace heddle {

namespace {

void check_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         std::span<const std::int32_t> targets, std::span<const double> row_weights,
                         std::int64_t classes, double smoothing) {
  const char* const op = "cross_entropy";
  check(x.shape.rank() == 2 && weight.shape.rank() == 2 && x.dtype == weight.dtype &&
            x.shape.columns() == weight.shape.columns(),
        op, ": x ", x.shape, " of ", x.dtype, " does not fit the weight ", weight.shape, " of ",
        weight.dtype);
  check(bias.data == nullptr || (bias.shape == Shape{weight.shape[0]} && bias.dtype == x.dtype), op,
        ": bias ", bias.shape, " of ", bias.dtype, " does not fit the weight ", weight.shape,
        " of ", weight.dtype);
  check(classes >= 1 && classes <= weight.shape[0], op, ": ", classes, " classes for the weight ",
        weight.shape);
  check(smoothing >= 0.0 && smoothing < 1.0, op, ": smoothing ", smoothing, " is outside [0, 1)");
  const auto rows = static_cast<std::size_t>(x.shape[0]);
  check(x.elements() > 0, op, ": x ", x.shape, " holds no row");
  check(targets.size() == rows && row_weights.size() == rows, op, ": ", targets.size(),
        " targets and ", row_weights.size(), " row weights for x ", x.shape);
  for (std::size_t i = 0; i < rows; ++i) {
    check(targets[i] >= 0 && targets[i] < classes, op, ": target ", targets[i], " of row ", i,
          " is outside the ", classes, " classes");
  }
}

}  // namespace

Tensor cross_entropy(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                     std::span<const std::int32_t> targets, std::span<const double> row_weights,
                     const CrossEntropyOptions& options) {
  const Op op(context, "cross_entropy", {x, weight, bias}, 1);
  const std::int64_t classes = options.classes != 0 ? options.classes : weight.shape[0];
  check_cross_entropy(x, weight, bias, targets, row_weights, classes, options.smoothing);
  op.note_product({x.shape[0], classes, x.shape[1]});
  const Tensor loss = op.output({}, x.dtype);
  Tensor dx;  // private until backward: x may get other gradients, or none
  if (op.recording() && x.needs_gradient()) dx = context.empty(x.shape, x.dtype);
  dispatch(x.dtype, "cross_entropy", [&](auto zero) {
    using T = decltype(zero);
    const kernels::CrossEntropyInput<T> input{x.shape[0],
                                              x.shape[1],
                                              weight.shape[0],
                                              classes,
                                              x.as<T>(),
                                              weight.as<T>(),
                                              bias.data != nullptr ? bias.as<T>() : nullptr,
                                              targets.data(),
                                              row_weights.data(),
                                              options.smoothing};
    kernels::CrossEntropyGradients<T> gradients;
    if (op.recording()) {
      const Backward now(context, context.tape());
      if (dx.data != nullptr) gradients.x = {dx.as<T>(), false};
      gradients.weight = now.sink<T>(weight);
      gradients.bias = now.sink<T>(bias);
    }
    *loss.as<T>() = static_cast<T>(
        kernels::cross_entropy<T>(input, gradients, context.scratch(), context.threads()));
  });
  op.record({loss}, [=](Backward& b) {
    dispatch(loss.dtype, "cross_entropy", [&](auto zero) {
      using T = decltype(zero);
      check(*b.upstream<T>(loss) == T{1}, "cross_entropy: its gradient is ", *b.upstream<T>(loss),
            ", not 1; build a loss that is scaled or combined from linear and log_softmax");
    });
    if (dx.data != nullptr) b.give(dx, x);
  });
  if (op.recording()) context.tape().last_must_be_reached();
  return loss;
}

}  // namespace heddle
