#include "autograd/ops/reduction.h"

#include "autograd/kernels/reduction.h"
#include "autograd/kernels/softmax.h"
#include "autograd/op.h"
#include "autograd/ops/shaping.h"

namespace heddle {

namespace {

// What all reductions share: the axis, checked, and the shape of the result.
struct Line {
  AxisShape view;
  Shape result;

  Line(const char* op, const Tensor& x, int axis, bool keepdim) {
    const int at = normalized_axis(op, axis, x.shape);
    check(x.elements() > 0, op, ": ", x.shape, " holds no element");
    view = around(x.shape, at);
    result = keepdim ? x.shape.with(at, 1) : x.shape.without(at);
  }
};

Tensor scaled_sum(Context& context, const char* name, const Tensor& x, const Line& line,
                  double scale) {
  const Op op(context, name, {x});
  const Tensor y = op.output(line.result, x.dtype);
  dispatch(x.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::sum<T>(line.view, scale, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      kernels::sum_backward<T>(line.view, scale, b.upstream<T>(y), b.sink<T>(x),
                               b.context().threads());
    });
  });
  return y;
}

}  // namespace

Tensor sum(Context& context, const Tensor& x, int axis, bool keepdim) {
  return scaled_sum(context, "sum", x, Line("sum", x, axis, keepdim), 1.0);
}

Tensor mean(Context& context, const Tensor& x, int axis, bool keepdim) {
  const Line line("mean", x, axis, keepdim);
  return scaled_sum(context, "mean", x, line, 1.0 / static_cast<double>(line.view.length));
}

Tensor sum_all(Context& context, const Tensor& x) {
  Op(context, "sum_all", {x});
  const Tensor row = reshape(context, x, {x.elements()});
  return scaled_sum(context, "sum_all", row, Line("sum_all", row, 0, false), 1.0);
}

Tensor max(Context& context, const Tensor& x, int axis, bool keepdim) {
  const Op op(context, "max", {x});
  const Line line("max", x, axis, keepdim);
  const Tensor y = op.output(line.result, x.dtype);
  const Tensor arg = context.empty(line.result, DType::kInt32);
  dispatch(x.dtype, "max", [&](auto zero) {
    using T = decltype(zero);
    kernels::max<T>(line.view, x.as<T>(), y.as<T>(), arg.as<std::int32_t>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "max", [&](auto zero) {
      using T = decltype(zero);
      kernels::max_backward<T>(line.view, arg.as<std::int32_t>(), b.upstream<T>(y), b.sink<T>(x),
                               b.context().threads());
    });
  });
  return y;
}

Tensor variance(Context& context, const Tensor& x, int axis, bool keepdim, int correction) {
  const Op op(context, "variance", {x});
  const Line line("variance", x, axis, keepdim);
  check(correction >= 0 && correction < line.view.length, "variance: correction ", correction,
        " for ", line.view.length, " elements of ", x.shape);
  const Tensor y = op.output(line.result, x.dtype);
  const Tensor means = context.empty(line.result, x.dtype);
  dispatch(x.dtype, "variance", [&](auto zero) {
    using T = decltype(zero);
    kernels::variance<T>(line.view, correction, x.as<T>(), y.as<T>(), means.as<T>(),
                         context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "variance", [&](auto zero) {
      using T = decltype(zero);
      kernels::variance_backward<T>(line.view, correction, x.as<T>(), means.as<T>(),
                                    b.upstream<T>(y), b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

Tensor logsumexp(Context& context, const Tensor& x, int axis, bool keepdim) {
  const Op op(context, "logsumexp", {x});
  const Line line("logsumexp", x, axis, keepdim);
  const Tensor y = op.output(line.result, x.dtype);
  dispatch(x.dtype, "logsumexp", [&](auto zero) {
    using T = decltype(zero);
    kernels::logsumexp<T>(line.view, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "logsumexp", [&](auto zero) {
      using T = decltype(zero);
      kernels::logsumexp_backward<T>(line.view, x.as<T>(), y.as<T>(), b.upstream<T>(y),
                                     b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

Tensor softmax(Context& context, const Tensor& x, int axis) {
  const Op op(context, "softmax", {x});
  const Line line("softmax", x, axis, true);
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, "softmax", [&](auto zero) {
    using T = decltype(zero);
    kernels::softmax<T>(line.view, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "softmax", [&](auto zero) {
      using T = decltype(zero);
      kernels::softmax_backward<T>(line.view, y.as<T>(), b.upstream<T>(y), b.sink<T>(x),
                                   b.context().threads());
    });
  });
  return y;
}

Tensor log_softmax(Context& context, const Tensor& x, int axis) {
  const Op op(context, "log_softmax", {x});
  const Line line("log_softmax", x, axis, true);
  const Tensor y = op.output(x.shape, x.dtype);
  dispatch(x.dtype, "log_softmax", [&](auto zero) {
    using T = decltype(zero);
    kernels::log_softmax<T>(line.view, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "log_softmax", [&](auto zero) {
      using T = decltype(zero);
      kernels::log_softmax_backward<T>(line.view, y.as<T>(), b.upstream<T>(y), b.sink<T>(x),
                                       b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
