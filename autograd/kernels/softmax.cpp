#include "autograd/kernels/softmax.h"

#include <utility>

#include "autograd/kernels/pointwise.h"
#include "autograd/kernels/rows.h"
#include "autograd/kernels/vector_math.h"

namespace heddle::kernels {

namespace {

// y <- exp(x - largest), y may be x; the sum.
template <class T>
T exp_of_row(std::int64_t n, const T* x, T largest, T* y) {
  return sum_along<T>(
      n, [&](std::int64_t i, const auto& part) __attribute__((always_inline)) {
        const Vector<T> e = exp<T>(part.load(x + i) - largest);
        part.store(y + i, e);
        return e;
      });
}

// The largest along the axis, and the sum of exp(x - largest), for a vector of neighbours.
template <class T, class Part>
std::pair<Vector<T>, Vector<T>> exp_of_strip(const AxisShape& shape, const T* x, const Part& part) {
  Vector<T> largest = part.load(x);
  for (std::int64_t j = 1; j < shape.length; ++j) {
    largest = larger_or_nan<T>(largest, part.load(x + j * shape.inner));
  }
  Vector<T> sum = {};
  for (std::int64_t j = 0; j < shape.length; ++j) {
    sum += exp<T>(part.load(x + j * shape.inner) - largest);
  }
  return {largest, sum};
}

// Both backwards: pass 1 sums term(y, dy) along the axis, pass 2 puts value(y, dy, sum) into dx.
template <class T, class Term, class Value>
void backward(const AxisShape& shape, const T* y, const T* dy, GradientSink<T> dx, int threads,
              const Term& term, const Value& value) {
  if (!dx) return;
  const auto put_part = [&](std::int64_t i, Vector<T> v, const auto& part) {
    part.store(dx.data + i, dx.add ? part.load(dx.data + i) + v : v);
  };
  if (shape.inner == 1) {
    for_each_row(shape, threads, [&](std::int64_t row) {
      const std::int64_t first = row * shape.length;
      const T sum = sum_along<T>(shape.length, [&](std::int64_t i, const auto& part) {
        return term(part.load(y + first + i), part.load(dy + first + i));
      });
      for_each_vector<T>(shape.length, [&](std::int64_t i, const auto& part) {
        put_part(first + i,
                 value(part.load(y + first + i), part.load(dy + first + i), broadcast(sum)), part);
      });
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t, const auto& part) {
    Vector<T> sum = {};
    for (std::int64_t j = 0; j < shape.length; ++j) {
      const std::int64_t i = first + j * shape.inner;
      sum += term(part.load(y + i), part.load(dy + i));
    }
    for (std::int64_t j = 0; j < shape.length; ++j) {
      const std::int64_t i = first + j * shape.inner;
      put_part(i, value(part.load(y + i), part.load(dy + i), sum), part);
    }
  });
}

}  // namespace

template <class T>
ExpShifted<T> exp_shifted(std::int64_t n, T* x) {
  const T largest = max_along(n, x);
  return {largest, exp_of_row(n, x, largest, x)};
}

template <class T>
void softmax(const AxisShape& shape, const T* x, T* y, int threads) {
  if (shape.inner == 1) {
    const std::int64_t n = shape.length;
    for_each_row_block(shape, threads, [&](std::int64_t first, std::int64_t rows) {
      const T* const source = x + first * n;
      T* const to = y + first * n;
      T factor[kMostRows];
      for (std::int64_t r = 0; r < rows; ++r) factor[r] = max_along(n, source + r * n);
      for (std::int64_t r = 0; r < rows; ++r) {
        factor[r] = 1 / exp_of_row(n, source + r * n, factor[r], to + r * n);
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        T* const row = to + r * n;
        map_row<false>(
            n, row, [scale = factor[r]](Vector<T> e) { return e * scale; }, row);
      }
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t, const auto& part) {
    const auto [largest, sum] = exp_of_strip<T>(shape, x + first, part);
    for (std::int64_t j = 0; j < shape.length; ++j) {
      const std::int64_t i = first + j * shape.inner;
      part.store(y + i, exp<T>(part.load(x + i) - largest) / sum);
    }
  });
}

template <class T>
void softmax_backward(const AxisShape& shape, const T* y, const T* dy, GradientSink<T> dx,
                      int threads) {
  using V = Vector<T>;
  backward(
      shape, y, dy, dx, threads, [](V p, V g) { return p * g; },
      [](V p, V g, V sum) { return p * (g - sum); });
}

template <class T>
void log_softmax(const AxisShape& shape, const T* x, T* y, int threads) {
  if (shape.inner == 1) {
    const std::int64_t n = shape.length;
    for_each_row_block(shape, threads, [&](std::int64_t first, std::int64_t rows) {
      const T* const source = x + first * n;
      T largest[kMostRows];
      T log_sum[kMostRows];
      for (std::int64_t r = 0; r < rows; ++r) largest[r] = max_along(n, source + r * n);
      for (std::int64_t r = 0; r < rows; ++r) {
        log_sum[r] = exp_sum_along(n, source + r * n, largest[r]);
      }
      map_row<false>(
          rows, log_sum, [](Vector<T> sum) { return log<T>(sum); }, log_sum);
      for (std::int64_t r = 0; r < rows; ++r) {
        map_row<false>(
            n, y + (first + r) * n,
            [top = largest[r], low = log_sum[r]](Vector<T> v) { return (v - top) - low; },
            source + r * n);
      }
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t, const auto& part) {
    const auto [largest, sum] = exp_of_strip<T>(shape, x + first, part);
    const Vector<T> log_sum = log<T>(sum);
    for (std::int64_t j = 0; j < shape.length; ++j) {
      const std::int64_t i = first + j * shape.inner;
      part.store(y + i, (part.load(x + i) - largest) - log_sum);
    }
  });
}

template <class T>
void log_softmax_backward(const AxisShape& shape, const T* y, const T* dy, GradientSink<T> dx,
                          int threads) {
  using V = Vector<T>;
  backward(
      shape, y, dy, dx, threads, [](V, V g) { return g; },
      [](V log_p, V g, V sum) { return g - exp<T>(log_p) * sum; });
}

template ExpShifted<float> exp_shifted(std::int64_t, float*);
template ExpShifted<double> exp_shifted(std::int64_t, double*);
template void softmax(const AxisShape&, const float*, float*, int);
template void softmax(const AxisShape&, const double*, double*, int);
template void softmax_backward(const AxisShape&, const float*, const float*, GradientSink<float>,
                               int);
template void softmax_backward(const AxisShape&, const double*, const double*, GradientSink<double>,
                               int);
template void log_softmax(const AxisShape&, const float*, float*, int);
template void log_softmax(const AxisShape&, const double*, double*, int);
template void log_softmax_backward(const AxisShape&, const float*, const float*,
                                   GradientSink<float>, int);
template void log_softmax_backward(const AxisShape&, const double*, const double*,
                                   GradientSink<double>, int);

}  // namespace heddle::kernels
