// Softmax and its logarithm along one axis of x [outer, length, inner].
//
//   softmax:      y = exp(x - m) / sum exp(x - m),     m = max x;   dx = y (dy - sum y dy)
//   log_softmax:  y = x - m - log sum exp(x - m);                   dx = dy - exp(y) sum dy
//
// Subtracting the largest keeps exp in range. x may hold -infinity (probability 0); a row of
// nothing else, or with +infinity or NaN in it, gives NaN. inner = 1, contiguous rows, is the fast
// case.
#pragma once

#include <cstdint>

#include "autograd/base/shape.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

/// y may be x.
template <class T>
void softmax(const AxisShape& shape, const T* x, T* y, int threads);

template <class T>
void softmax_backward(const AxisShape& shape, const T* y, const T* dy, GradientSink<T> dx,
                      int threads);

/// y may be x.
template <class T>
void log_softmax(const AxisShape& shape, const T* x, T* y, int threads);

template <class T>
void log_softmax_backward(const AxisShape& shape, const T* y, const T* dy, GradientSink<T> dx,
                          int threads);

template <class T>
struct ExpShifted {
  T largest;
  T sum;  // of exp(x - largest)
};

/// x[i] <- exp(x[i] - max x) for a row of n >= 1 numbers, in place.
template <class T>
ExpShifted<T> exp_shifted(std::int64_t n, T* x);

}  // namespace heddle::kernels
