// Reductions along one axis of a contiguous tensor, seen as x [outer, length, inner] and
// y [outer, inner], and their backward, which spreads dy [outer, inner] over dx like x.
//
// Sums are added in a fixed number of accumulators in an order that depends on the shape alone; the
// variance takes two passes (mean first), logsumexp subtracts the largest first.
#pragma once

#include <cstdint>

#include "autograd/base/shape.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

/// y = factor * sum x: factor 1 is the sum, 1 / length the mean.
template <class T>
void sum(const AxisShape& shape, double factor, const T* x, T* y, int threads);

/// dx (+)= factor * dy.
template <class T>
void sum_backward(const AxisShape& shape, double factor, const T* dy, GradientSink<T> dx,
                  int threads);

/// y = max x, index = its place on the axis, the first of equals; NaN where one is NaN, and then
/// the place of the first NaN. `index` [outer, inner] may be null.
template <class T>
void max(const AxisShape& shape, const T* x, T* y, std::int32_t* index, int threads);

/// dx (+)= dy at `index`, 0 elsewhere.
template <class T>
void max_backward(const AxisShape& shape, const std::int32_t* index, const T* dy,
                  GradientSink<T> dx, int threads);

/// y = sum (x - mean)^2 / (length - correction), correction 0 (population) or 1 (unbiased; NaN for
/// a length of 1). `mean` [outer, inner] is what backward needs.
template <class T>
void variance(const AxisShape& shape, int correction, const T* x, T* y, T* mean, int threads);

/// dx (+)= dy * 2 (x - mean) / (length - correction).
template <class T>
void variance_backward(const AxisShape& shape, int correction, const T* x, const T* mean,
                       const T* dy, GradientSink<T> dx, int threads);

/// y = log sum exp(x); -infinity where all are.
template <class T>
void logsumexp(const AxisShape& shape, const T* x, T* y, int threads);

/// dx (+)= dy * exp(x - y); NaN where y is infinite.
template <class T>
void logsumexp_backward(const AxisShape& shape, const T* x, const T* y, const T* dy,
                        GradientSink<T> dx, int threads);

/// The sum of the n numbers of a row.
template <class T>
T row_sum(std::int64_t n, const T* x);

/// sums [columns] (+)= the sum of the rows of x [rows, columns]: the gradient of a bias.
template <class T>
void column_sums(std::int64_t rows, std::int64_t columns, const T* x, GradientSink<T> sums,
                 int threads);

/// The sum of x[i]^2, added in double.
template <class T>
double sum_of_squares(std::int64_t n, const T* x, int threads);

/// The index of the first NaN or infinity, -1 if there is none.
template <class T>
std::int64_t first_non_finite(std::int64_t n, const T* x);

}  // namespace heddle::kernels
