#include "autograd/kernels/gated.h"

#include "autograd/base/parallel.h"
#include "autograd/kernels/activation_formulas.h"

namespace heddle::kernels {

namespace {

// One row; x and dx are [gate | value].
template <bool kAdd, class T, class Formula>
void backward_row(Formula f, std::int64_t n, const T* x, const T* dy, T* dx) {
  for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
    const Vector<T> gate = part.load(x + i);
    const Vector<T> value = part.load(x + n + i);
    const Vector<T> upstream = part.load(dy + i);
    const Vector<T> opened = f.value(gate);
    const Vector<T> saved = Formula::kFromOutput ? opened : gate;
    put(part, dx + i, kAdd, f.gradient(saved, upstream * value));
    put(part, dx + n + i, kAdd, upstream * opened);
  });
}

}  // namespace

template <class T>
void gated(Activation activation, std::int64_t rows, std::int64_t n, const T* x, T* y,
           int threads) {
  with_formula<T>(activation, [&](auto f) {
    parallel_for(threads, rows, grain_for(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* const gate = x + row * 2 * n;
        for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
          part.store(y + row * n + i, f.value(part.load(gate + i)) * part.load(gate + n + i));
        });
      }
    });
  });
}

template <class T>
void gated_backward(Activation activation, std::int64_t rows, std::int64_t n, const T* x,
                    const T* dy, GradientSink<T> dx, int threads) {
  with_formula<T>(activation, [&](auto f) {
    parallel_for(threads, rows, grain_for(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t first = row * 2 * n;
        if (dx.add) {
          backward_row<true>(f, n, x + first, dy + row * n, dx.data + first);
        } else {
          backward_row<false>(f, n, x + first, dy + row * n, dx.data + first);
        }
      }
    });
  });
}

template void gated(Activation, std::int64_t, std::int64_t, const float*, float*, int);
template void gated(Activation, std::int64_t, std::int64_t, const double*, double*, int);
template void gated_backward(Activation, std::int64_t, std::int64_t, const float*, const float*,
                             GradientSink<float>, int);
template void gated_backward(Activation, std::int64_t, std::int64_t, const double*, const double*,
                             GradientSink<double>, int);

}  // namespace heddle::kernels
