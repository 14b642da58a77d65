#include "autograd/ops/linear.h"

#include <algorithm>

#include "autograd/base/parallel.h"
#include "autograd/kernels/activation.h"
#include "autograd/kernels/axes.h"
#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/row_invariant_product.h"
#include "autograd/op.h"

namespace heddle {

namespace {

using kernels::Operand;
using kernels::ProductShape;

// Batches of matrices: how far to step from one to the next; 0 where one serves all.
struct Batches {
  std::int64_t count;
  ProductShape shape;
  std::int64_t a_step, b_step;
};

Batches batches_of(const Tensor& a, const Tensor& b) {
  check(a.shape.rank() >= 2 && b.shape.rank() >= 2 && a.dtype == b.dtype &&
            a.shape.columns() == b.shape[b.shape.rank() - 2],
        "matmul: ", a.shape, " of ", a.dtype, " times ", b.shape, " of ", b.dtype);
  check(a.elements() > 0 && b.elements() > 0, "matmul: ", a.shape, " times ", b.shape,
        " holds no element");
  const auto matrices = [](const Tensor& t) {
    return t.elements() / (t.shape[t.shape.rank() - 2] * t.shape.columns());
  };
  const auto leading = [](const Tensor& t) { return t.shape.rank() - 2; };
  const std::int64_t in_a = matrices(a);
  const std::int64_t in_b = matrices(b);
  const bool same =
      leading(a) == leading(b) &&
      std::equal(a.shape.sizes().begin(), a.shape.sizes().end() - 2, b.shape.sizes().begin());
  check(same || in_a == 1 || in_b == 1, "matmul: the leading dimensions of ", a.shape, " and ",
        b.shape, " differ");
  const ProductShape shape{a.shape[leading(a)], b.shape.columns(), a.shape.columns()};
  return {std::max(in_a, in_b), shape, in_a == 1 ? 0 : shape.m * shape.k,
          in_b == 1 ? 0 : shape.k * shape.n};
}

// y = a b. In inference b is transposed first, so that rows of y do not depend on each other.
template <class T>
void multiply(Context& context, const ProductShape& s, const T* a, const T* b, T* y) {
  Arena& scratch = context.scratch();
  const int threads = context.threads();
  if (context.training()) {
    return kernels::gemm<T>(s, {a, s.k}, {b, s.n}, {y, s.n}, scratch, threads);
  }
  const ArenaScope scope(scratch);
  T* const transposed = scratch.allocate<T>(s.k * s.n);
  kernels::transpose_matrices<T>(1, s.k, s.n, b, {transposed}, threads);
  kernels::row_invariant_product<T>(s, {a, s.k}, {transposed, s.k, true}, {y, s.n}, threads);
}

// The gradient of one factor. A factor that serves all batches gets the sum of their gradients.
template <class T, class Left, class Right>
void backward_of(Backward& b, kernels::GradientSink<T> sink, const Batches& p, std::int64_t step,
                 const ProductShape& shape, const Left& left, const Right& right) {
  if (!sink) return;
  for (std::int64_t i = 0; i < p.count; ++i) {
    const bool add = sink.add || (step == 0 && i > 0);
    kernels::gemm<T>(shape, left(i), right(i), {sink.data + i * step, shape.n, add},
                     b.context().scratch(), b.context().threads());
  }
}

}  // namespace

Tensor matmul(Context& context, const Tensor& a, const Tensor& b) {
  const Op op(context, "matmul", {a, b});
  const Batches p = batches_of(a, b);
  const std::int64_t m = p.shape.m, n = p.shape.n, k = p.shape.k;
  const Tensor& batched = a.elements() / (m * k) >= p.count ? a : b;
  const int rank = batched.shape.rank();
  const Tensor y = op.output(batched.shape.with(rank - 2, m).with(rank - 1, n), a.dtype);
  dispatch(a.dtype, "matmul", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < p.count; ++i) {
      multiply<T>(context, p.shape, a.as<T>() + i * p.a_step, b.as<T>() + i * p.b_step,
                  y.as<T>() + i * m * n);
    }
  });
  op.record({y}, [=](Backward& back) {
    dispatch(a.dtype, "matmul", [&](auto zero) {
      using T = decltype(zero);
      const T* const dy = back.upstream<T>(y);
      const auto upstream = [&](bool transposed) {
        return [=](std::int64_t i) { return Operand<T>{dy + i * m * n, n, transposed}; };
      };
      const auto factor = [](const Tensor& x, std::int64_t step, std::int64_t stride) {
        return [=](std::int64_t i) { return Operand<T>{x.as<T>() + i * step, stride, true}; };
      };
      backward_of<T>(back, back.sink<T>(a), p, p.a_step, {m, k, n}, upstream(false),
                     factor(b, p.b_step, n));
      backward_of<T>(back, back.sink<T>(b), p, p.b_step, {k, n, m}, factor(a, p.a_step, k),
                     upstream(false));
    });
  });
  return y;
}

namespace {

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check(x.shape.rank() >= 1 && x.elements() > 0, "linear: x ", x.shape, " holds no row");
  check(weight.shape.rank() == 2 && weight.dtype == x.dtype &&
            weight.shape.columns() == x.shape.columns() && weight.elements() > 0,
        "linear: weight ", weight.shape, " of ", weight.dtype, " does not fit x ", x.shape, " of ",
        x.dtype);
  check(bias.data == nullptr || (bias.shape == Shape{weight.shape[0]} && bias.dtype == x.dtype),
        "linear: bias ", bias.shape, " of ", bias.dtype, " does not fit the weight ", weight.shape);
}

// y = dropout(activation(x weight^T + bias)), with `pre` before the activation where it is kept.
template <class T>
void linear_forward(Context& context, const ProductShape& shape, const Tensor& x,
                    const Tensor& weight, const Tensor& bias, Activation activation,
                    const kernels::Dropout& mask, const Tensor& pre, const Tensor& y) {
  T* const product = pre.data != nullptr ? pre.as<T>() : y.as<T>();
  const Operand<T> rows{x.as<T>(), shape.k};
  const Operand<T> transposed{weight.as<T>(), shape.k, true};
  if (context.training()) {
    kernels::gemm<T>(shape, rows, transposed, {product, shape.n}, context.scratch(),
                     context.threads());
  } else {
    kernels::row_invariant_product<T>(shape, rows, transposed, {product, shape.n},
                                      context.threads(), context.prepared_weights());
  }
  if (bias.data != nullptr || activation != Activation::kNone) {
    kernels::bias_activation<T>(
        activation, shape.m, shape.n, product, bias.data != nullptr ? bias.as<T>() : nullptr,
        pre.data != nullptr ? product : nullptr, y.as<T>(), context.threads());
  }
  if (mask.active()) {
    kernels::dropout<T>(mask, shape.m, shape.n, y.as<T>(), {y.as<T>()}, context.threads());
  }
}

// dpre in the memory of dy, and the gradient of the bias.
template <class T>
void epilogue_backward(Backward& b, const ProductShape& shape, Activation activation,
                       const kernels::Dropout& mask, const Tensor& saved, T* dy,
                       const Tensor& bias) {
  const int threads = b.context().threads();
  T scale{1};
  if (activation == Activation::kRelu) {
    scale = static_cast<T>(mask.scale);  // y is zero where either of them made it so
  } else if (mask.active()) {
    kernels::dropout<T>(mask, shape.m, shape.n, dy, {dy}, threads);
  }
  kernels::bias_activation_backward<T>(activation, shape.m, shape.n, saved.as<T>(), dy, dy,
                                       b.sink<T>(bias), threads, scale);
}

void check_fused(Activation activation, double dropout) {
  const bool reads_result = activation == Activation::kTanh || activation == Activation::kSigmoid;
  check(dropout == 0.0 || !reads_result,
        "linear: dropout behind tanh or sigmoid is an operation of its own; call dropout()");
}

}  // namespace

Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias,
              Activation activation, double dropout) {
  const Op op(context, "linear", {x, weight, bias}, 1);
  check_linear(x, weight, bias);
  check_fused(activation, dropout);
  const kernels::Dropout mask = op.dropout(dropout);
  const ProductShape shape{x.shape.rows(), weight.shape[0], weight.shape[1]};
  const Tensor y = op.output(x.shape.with(x.shape.rank() - 1, shape.n), x.dtype);
  op.note_product(shape);
  const bool keep_pre = op.recording() && kernels::backward_reads_pre(activation);
  const Tensor pre = keep_pre ? context.empty(y.shape, y.dtype) : Tensor{};
  dispatch(x.dtype, "linear", [&](auto zero) {
    linear_forward<decltype(zero)>(context, shape, x, weight, bias, activation, mask, pre, y);
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "linear", [&](auto zero) {
      using T = decltype(zero);
      const std::int64_t rows = shape.m, out = shape.n, in = shape.k;
      T* const dpre = b.consume<T>(y);
      epilogue_backward<T>(b, shape, activation, mask, pre.data != nullptr ? pre : y, dpre, bias);
      const auto multiply = [&](const ProductShape& s, Operand<T> left, Operand<T> right,
                                kernels::GradientSink<T> sink) {
        if (!sink) return;
        kernels::gemm<T>(s, left, right, {sink.data, s.n, sink.add}, b.context().scratch(),
                         b.context().threads());
      };
      multiply({rows, in, out}, {dpre, out}, {weight.as<T>(), in}, b.sink<T>(x));
      multiply({out, in, rows}, {dpre, out, true}, {x.as<T>(), in}, b.sink<T>(weight));
    });
  });
  return y;
}

}  // namespace heddle
