#include "autograd/ops/norm.h"

#include "autograd/kernels/residual_norm.h"
#include "autograd/op.h"

namespace heddle {

namespace {

using kernels::NormType;

void check_norm(const char* op, const Tensor& x, const Tensor& gain, const Tensor& bias,
                double eps) {
  check(eps >= 0.0, op, ": eps ", eps, " is negative or no number");
  check(x.shape.rank() >= 1 && x.elements() > 0, op, ": x ", x.shape, " holds no row");
  const Shape row{x.shape.columns()};
  check(gain.shape == row && gain.dtype == x.dtype, op, ": gain ", gain.shape, " of ", gain.dtype,
        " does not fit x ", x.shape, " of ", x.dtype);
  check(bias.data == nullptr || (bias.shape == row && bias.dtype == x.dtype), op, ": bias ",
        bias.shape, " of ", bias.dtype, " does not fit x ", x.shape, " of ", x.dtype);
}

template <class T>
kernels::Norm<T> norm_of(NormType type, double eps, const Tensor& gain, const Tensor& bias) {
  return {type, eps, gain.as<T>(), bias.data != nullptr ? bias.as<T>() : nullptr};
}

// Mean and rstd of every row, kept for backward.
struct Statistics {
  Tensor mean, rstd;

  Statistics(Context& context, const Tensor& x)
      : mean(context.empty({x.shape.rows()}, x.dtype)),
        rstd(context.empty({x.shape.rows()}, x.dtype)) {}
  template <class T>
  kernels::NormStatistics<T> as() const {
    return {mean.as<T>(), rstd.as<T>()};
  }
};

template <class T>
kernels::NormGradients<T> gradients_of(Backward& b, const Tensor& x, const Tensor& gain,
                                       const Tensor& bias) {
  const std::int64_t size = kernels::norm_scratch(x.shape.rows(), x.shape.columns());
  return {b.sink<T>(gain), b.sink<T>(bias), b.context().scratch().allocate<T>(size)};
}

Tensor norm(Context& context, const char* name, NormType type, const Tensor& x, const Tensor& gain,
            const Tensor& bias, double eps) {
  const Op op(context, name, {x, gain, bias}, 1);
  check_norm(name, x, gain, bias, eps);
  const Tensor y = op.output(x.shape, x.dtype);
  const Statistics statistics(context, x);
  const std::int64_t rows = x.shape.rows();
  const std::int64_t columns = x.shape.columns();
  dispatch(x.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::norm<T>(norm_of<T>(type, eps, gain, bias), rows, columns, x.as<T>(), y.as<T>(),
                     statistics.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      const ArenaScope scope(b.context().scratch());
      const auto dx = b.sink<T>(x);  // before the others: x and gain may be one tensor
      kernels::norm_backward<T>(norm_of<T>(type, eps, gain, bias), rows, columns, b.upstream<T>(y),
                                x.as<T>(), statistics.as<T>(), dx,
                                gradients_of<T>(b, x, gain, bias), b.context().threads());
    });
  });
  return y;
}

void check_residual(const char* op, const Tensor& x, const Tensor& delta) {
  check_floating(op, x);
  check(x.elements() > 0, op, ": x ", x.shape, " holds no row");
  check(x.shape == delta.shape && x.dtype == delta.dtype, op, ": x ", x.shape, " of ", x.dtype,
        " and delta ", delta.shape, " of ", delta.dtype, " differ");
}

}  // namespace

Tensor layer_norm(Context& context, const Tensor& x, const Tensor& gain, const Tensor& bias,
                  double eps) {
  check(bias.data != nullptr, "layer_norm: needs a bias");
  return norm(context, "layer_norm", NormType::kLayerNorm, x, gain, bias, eps);
}

Tensor rms_norm(Context& context, const Tensor& x, const Tensor& gain, double eps) {
  return norm(context, "rms_norm", NormType::kRmsNorm, x, gain, {}, eps);
}

ResidualNorm residual_norm(Context& context, const Tensor& x, const Tensor& delta,
                           const Tensor& gain, const Tensor& bias, double dropout, double eps) {
  const char* const name = "residual_norm";
  const Op op(context, name, {x, delta, gain, bias}, 1);
  check_residual(name, x, delta);
  check_norm(name, x, gain, bias, eps);
  const NormType type = bias.data != nullptr ? NormType::kLayerNorm : NormType::kRmsNorm;
  const kernels::Dropout mask = op.dropout(dropout);
  const ResidualNorm result{op.output(x.shape, x.dtype), op.output(x.shape, x.dtype)};
  const Statistics statistics(context, x);
  const std::int64_t rows = x.shape.rows();
  const std::int64_t columns = x.shape.columns();
  dispatch(x.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    kernels::residual_norm<T>(norm_of<T>(type, eps, gain, bias), mask, rows, columns, x.as<T>(),
                              delta.as<T>(), result.sum.as<T>(), result.normed.as<T>(),
                              statistics.as<T>(), context.threads());
  });
  op.record({result.sum, result.normed}, [=](Backward& b) {
    dispatch(x.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      const ArenaScope scope(b.context().scratch());
      const T* const dy = b.upstream<T>(result.normed);
      const T* const dsum = b.upstream<T>(result.sum);
      const kernels::ResidualGradients<T> sinks{b.sink<T>(x), b.sink<T>(delta)};
      if (dy == nullptr) {  // only the sum was used
        return kernels::residual_add_backward<T>(mask, rows, columns, dsum, sinks,
                                                 b.context().threads());
      }
      kernels::residual_norm_backward<T>(norm_of<T>(type, eps, gain, bias), mask, rows, columns,
                                         {dy, dsum}, result.sum.as<T>(), statistics.as<T>(), sinks,
                                         gradients_of<T>(b, x, gain, bias), b.context().threads());
    });
  });
  return result;
}

Tensor residual(Context& context, const Tensor& x, const Tensor& delta, double dropout) {
  const Op op(context, "residual", {x, delta});
  check_residual("residual", x, delta);
  const kernels::Dropout mask = op.dropout(dropout);
  const Tensor y = op.output(x.shape, x.dtype);
  const std::int64_t rows = x.shape.rows();
  const std::int64_t columns = x.shape.columns();
  dispatch(x.dtype, "residual", [&](auto zero) {
    using T = decltype(zero);
    kernels::residual_add<T>(mask, rows, columns, x.as<T>(), delta.as<T>(), y.as<T>(),
                             context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "residual", [&](auto zero) {
      using T = decltype(zero);
      kernels::residual_add_backward<T>(mask, rows, columns, b.upstream<T>(y),
                                        {b.sink<T>(x), b.sink<T>(delta)}, b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
