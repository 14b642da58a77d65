#include "autograd/ops/arithmetic.h"

#include <cmath>

#include "autograd/kernels/binary.h"
#include "autograd/kernels/unary.h"
#include "autograd/op.h"

namespace heddle {

namespace {

using kernels::Binary;
using kernels::BinaryShape;

void check_same_type(const char* op, const Tensor& a, const Tensor& b) {
  check(a.dtype == b.dtype, op, ": ", a.shape, " of ", a.dtype, " and ", b.shape, " of ", b.dtype);
}

Tensor apply(Context& context, const char* name, Binary function, const Tensor& a,
             const Tensor& b) {
  const Op op(context, name, {a, b});
  check_same_type(name, a, b);
  const BinaryShape shape{a.shape, b.shape, broadcast(name, a.shape, b.shape)};
  const Tensor y = op.output(shape.result, a.dtype);
  dispatch(a.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::binary<T>(function, shape, a.as<T>(), b.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& back) {
    dispatch(a.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      // One after the other: a and b may be the same tensor.
      const auto gradient = [&](kernels::GradientSink<T> da, kernels::GradientSink<T> db) {
        kernels::binary_backward<T>(function, shape, a.as<T>(), b.as<T>(), back.upstream<T>(y), da,
                                    db, back.context().threads());
      };
      gradient(back.sink<T>(a), {});
      gradient({}, back.sink<T>(b));
    });
  });
  return y;
}

// factor * x + amount.
Tensor affine(Context& context, const char* name, const Tensor& x, double factor, double amount) {
  const Op op(context, name, {x});
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::affine<T>(x.elements(), factor, amount, x.as<T>(), {y.as<T>(), false},
                       context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      kernels::affine<T>(x.elements(), factor, 0.0, b.upstream<T>(y), b.sink<T>(x),
                         b.context().threads());
    });
  });
  return y;
}

void check_mask(const char* op, const Tensor& mask) {
  check(mask.dtype == DType::kUInt8, op, ": the mask is of ", mask.dtype, ", not uint8");
}

}  // namespace

Tensor add(Context& context, const Tensor& a, const Tensor& b) {
  return apply(context, "add", Binary::kAdd, a, b);
}
Tensor sub(Context& context, const Tensor& a, const Tensor& b) {
  return apply(context, "sub", Binary::kSub, a, b);
}
Tensor mul(Context& context, const Tensor& a, const Tensor& b) {
  return apply(context, "mul", Binary::kMul, a, b);
}
Tensor div(Context& context, const Tensor& a, const Tensor& b) {
  return apply(context, "div", Binary::kDiv, a, b);
}
Tensor maximum(Context& context, const Tensor& a, const Tensor& b) {
  return apply(context, "maximum", Binary::kMaximum, a, b);
}

Tensor scale(Context& context, const Tensor& x, double factor) {
  return affine(context, "scale", x, factor, 0.0);
}
Tensor shift(Context& context, const Tensor& x, double amount) {
  return affine(context, "shift", x, 1.0, amount);
}

Tensor where(Context& context, const Tensor& mask, const Tensor& a, const Tensor& b) {
  const Op op(context, "where", {mask, a, b});
  check_mask("where", mask);
  check_same_type("where", a, b);
  const Shape both = broadcast("where", a.shape, b.shape);
  const BinaryShape shape{a.shape, b.shape, broadcast("where", mask.shape, both)};
  const Tensor y = op.output(shape.result, a.dtype);
  dispatch(a.dtype, "where", [&](auto zero) {
    using T = decltype(zero);
    kernels::where<T>(shape, mask.shape, mask.as<std::uint8_t>(), a.as<T>(), b.as<T>(), y.as<T>(),
                      context.threads());
  });
  op.record({y}, [=](Backward& back) {
    dispatch(a.dtype, "where", [&](auto zero) {
      using T = decltype(zero);
      const auto gradient = [&](kernels::GradientSink<T> da, kernels::GradientSink<T> db) {
        kernels::where_backward<T>(shape, mask.shape, mask.as<std::uint8_t>(), back.upstream<T>(y),
                                   da, db, back.context().threads());
      };
      gradient(back.sink<T>(a), {});
      gradient({}, back.sink<T>(b));
    });
  });
  return y;
}

Tensor masked_fill(Context& context, const Tensor& x, const Tensor& mask, double value) {
  const Op op(context, "masked_fill", {x, mask});
  check_mask("masked_fill", mask);
  check(broadcast("masked_fill", x.shape, mask.shape) == x.shape, "masked_fill: mask ", mask.shape,
        " is larger than x ", x.shape);
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, "masked_fill", [&](auto zero) {
    using T = decltype(zero);
    kernels::masked_fill<T>(x.shape, mask.shape, mask.as<std::uint8_t>(), x.as<T>(), value,
                            y.as<T>(), context.threads());
  });
  op.record(
      {y},
      [=](Backward& b) {
        dispatch(x.dtype, "masked_fill", [&](auto zero) {
          using T = decltype(zero);
          kernels::masked_fill_backward<T>(x.shape, mask.shape, mask.as<std::uint8_t>(),
                                           b.upstream<T>(y), b.sink<T>(x), b.context().threads());
        });
      },
      !std::isfinite(value));
  return y;
}

}  // namespace heddle
