#include "autograd/kernels/activation.h"

#include "autograd/kernels/activation_formulas.h"
#include "autograd/kernels/pointwise.h"
#include "autograd/kernels/rows.h"

namespace heddle::kernels {

namespace {

// One row; `bias` and `pre` may be null.
template <class T, class Formula>
void finish_row(Formula f, std::int64_t n, const T* product, const T* bias, T* pre, T* y) {
  for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
    Vector<T> value = part.load(product + i);
    if (bias != nullptr) value += part.load(bias + i);
    if (pre != nullptr) part.store(pre + i, value);
    part.store(y + i, f.value(value));
  });
}

}  // namespace

bool backward_reads_pre(Activation activation) {
  return with_formula<float>(activation, [](auto f) { return !decltype(f)::kFromOutput; });
}

template <class T>
void bias_activation(Activation activation, std::int64_t rows, std::int64_t columns,
                     const T* product, const T* bias, T* pre, T* y, int threads) {
  with_formula<T>(activation, [&](auto f) {
    parallel_for(threads, rows, grain_for(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t first = row * columns;
        finish_row(f, columns, product + first, bias, pre == nullptr ? nullptr : pre + first,
                   y + first);
      }
    });
  });
}

template <class T>
void bias_activation_backward(Activation activation, std::int64_t rows, std::int64_t columns,
                              const T* saved, const T* dy, T* dpre, GradientSink<T> dbias,
                              int threads, T scale) {
  const bool identity =
      activation == Activation::kNone && scale == T{1} && (dpre == nullptr || dpre == dy);
  const auto gradients = rows_of(identity ? dy : dpre, columns);
  if (identity) {
    if (dbias) sum_down<T>(rows, columns, T{1}, dbias, threads, gradients);
    return;
  }
  with_formula<T>(activation, [&](auto f) {
    // In a pass of its own: stores to dpre and to the sums, mixed, would wait for each other.
    const auto write_dpre = [&](std::int64_t row, std::int64_t count, std::int64_t begin,
                                std::int64_t end) {
      for (std::int64_t r = row; r < row + count; ++r) {
        const std::int64_t first = r * columns + begin;
        map_row<false>(
            end - begin, dpre + first,
            [f, scale](Vector<T> s, Vector<T> g) { return f.gradient(s, g * scale); },
            activation == Activation::kNone ? dy + first : saved + first, dy + first);
      }
    };
    sum_down<T>(rows, columns, T{1}, dbias, threads, gradients, write_dpre);
  });
}

template void bias_activation(Activation, std::int64_t, std::int64_t, const float*, const float*,
                              float*, float*, int);
template void bias_activation(Activation, std::int64_t, std::int64_t, const double*, const double*,
                              double*, double*, int);
template void bias_activation_backward(Activation, std::int64_t, std::int64_t, const float*,
                                       const float*, float*, GradientSink<float>, int, float);
template void bias_activation_backward(Activation, std::int64_t, std::int64_t, const double*,
                                       const double*, double*, GradientSink<double>, int, double);

}  // namespace heddle::kernels
