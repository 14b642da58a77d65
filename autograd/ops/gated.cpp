#include "autograd/ops/gated.h"

#include "autograd/kernels/gated.h"
#include "autograd/op.h"

namespace heddle {

Tensor gated(Context& context, const Tensor& x, Activation activation) {
  const Op op(context, "gated", {x});
  check_floating("gated", x);
  check(x.shape.columns() % 2 == 0, "gated: x ", x.shape,
        " needs an even number of columns, half of them the gate");
  const std::int64_t rows = x.shape.rows();
  const std::int64_t n = x.shape.columns() / 2;
  const Tensor y = op.output(x.shape.with(x.shape.rank() - 1, n), x.dtype);
  dispatch(x.dtype, "gated", [&](auto zero) {
    using T = decltype(zero);
    kernels::gated<T>(activation, rows, n, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "gated", [&](auto zero) {
      using T = decltype(zero);
      kernels::gated_backward<T>(activation, rows, n, x.as<T>(), b.upstream<T>(y), b.sink<T>(x),
                                 b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
