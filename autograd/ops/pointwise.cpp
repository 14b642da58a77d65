#include "autograd/ops/pointwise.h"

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/unary.h"
#include "autograd/op.h"

namespace heddle {

namespace {

using kernels::Unary;

Tensor apply(Context& context, const char* name, Unary function, const Tensor& x) {
  const Op op(context, name, {x});
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::unary<T>(function, x.elements(), x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      const Tensor& saved = kernels::backward_reads_output(function) ? y : x;
      kernels::unary_backward<T>(function, x.elements(), saved.as<T>(), b.upstream<T>(y),
                                 b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

}  // namespace

Tensor neg(Context& context, const Tensor& x) {
  return apply(context, "neg", Unary::kNeg, x);
}
Tensor abs(Context& context, const Tensor& x) {
  return apply(context, "abs", Unary::kAbs, x);
}
Tensor exp(Context& context, const Tensor& x) {
  return apply(context, "exp", Unary::kExp, x);
}
Tensor log(Context& context, const Tensor& x) {
  return apply(context, "log", Unary::kLog, x);
}
Tensor sqrt(Context& context, const Tensor& x) {
  return apply(context, "sqrt", Unary::kSqrt, x);
}
Tensor tanh(Context& context, const Tensor& x) {
  return apply(context, "tanh", Unary::kTanh, x);
}
Tensor sigmoid(Context& context, const Tensor& x) {
  return apply(context, "sigmoid", Unary::kSigmoid, x);
}
Tensor relu(Context& context, const Tensor& x) {
  return apply(context, "relu", Unary::kRelu, x);
}
Tensor gelu(Context& context, const Tensor& x) {
  return apply(context, "gelu", Unary::kGelu, x);
}
Tensor silu(Context& context, const Tensor& x) {
  return apply(context, "silu", Unary::kSilu, x);
}

Tensor pow(Context& context, const Tensor& x, double exponent) {
  const Op op(context, "pow", {x});
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, "pow", [&](auto zero) {
    using T = decltype(zero);
    kernels::power<T>(x.elements(), exponent, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "pow", [&](auto zero) {
      using T = decltype(zero);
      kernels::power_backward<T>(x.elements(), exponent, x.as<T>(), b.upstream<T>(y), b.sink<T>(x),
                                 b.context().threads());
    });
  });
  return y;
}

Tensor dropout(Context& context, const Tensor& x, double probability) {
  const Op op(context, "dropout", {x});
  check_floating("dropout", x);
  const kernels::Dropout mask = op.dropout(probability);
  if (!mask.active()) return context.alias(x, x.shape);
  const Tensor y = op.output(x.shape, x.dtype);
  const std::int64_t rows = x.shape.rows();
  const std::int64_t columns = x.shape.columns();
  dispatch(x.dtype, "dropout", [&](auto zero) {
    using T = decltype(zero);
    kernels::dropout<T>(mask, rows, columns, x.as<T>(), {y.as<T>(), false}, context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "dropout", [&](auto zero) {
      using T = decltype(zero);
      kernels::dropout<T>(mask, rows, columns, b.upstream<T>(y), b.sink<T>(x),
                          b.context().threads());
    });
  });
  return y;
}

Tensor stop_gradient(Context& context, const Tensor& x) {
  Op(context, "stop_gradient", {x});
  Tensor y = x;
  y.slot = Tensor::kNoSlot;
  return y;
}

}  // namespace heddle
