// Moving elements about: axes swapped, ranges of an axis copied, rows of an axis gathered.
//
// Tensors are contiguous. An operation on one axis sees a tensor as [outer, axis, inner], one on
// two axes a < b as [outer, a, middle, b, inner]: dimensions before, between and after them are
// multiplied together. Where an output is a GradientSink the function is also a backward.
#pragma once

#include <cstdint>

#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

struct AxisPair {
  std::int64_t outer, a, middle, b, inner;
};

/// y[o, j, m, i, e] = x[o, i, m, j, e] for x [outer, a, middle, b, inner] and
/// y [outer, b, middle, a, inner]. Backward is the same with a and b exchanged.
template <class T>
void swap_axes(const AxisPair& shape, const T* x, GradientSink<T> y, int threads);

/// y[n] = x[n]^T for x [batch, rows, columns]. Backward is the same with rows and columns
/// exchanged.
template <class T>
void transpose_matrices(std::int64_t batch, std::int64_t rows, std::int64_t columns, const T* x,
                        GradientSink<T> y, int threads);

/// The place of a range on an axis: which of its `length` elements comes first.
struct AxisRange {
  std::int64_t length, begin;
};

/// y[o, to.begin + k, e] = x[o, from.begin + k, e] for k < count, x [outer, from.length, inner] and
/// y [outer, to.length, inner]; the rest of y is not touched. Slice, concat, and their gradients.
template <class T>
void copy_range(std::int64_t outer, std::int64_t count, std::int64_t inner, const T* x,
                AxisRange from, GradientSink<T> y, AxisRange to, int threads);

/// y[o, k, e] = 0 for all k outside the range of `count` elements: what the gradient of a slice has
/// to clear on its first write.
template <class T>
void clear_outside(std::int64_t outer, std::int64_t count, std::int64_t inner, T* y, AxisRange to,
                   int threads);

/// The shape of a gather: `index` [count] holds elements of an axis of `length`.
struct GatherShape {
  std::int64_t outer, length, inner;
  std::int64_t count;
  const std::int32_t* index;
};

/// y[o, k, e] = x[o, index[k], e] for x [outer, length, inner], y [outer, count, inner].
template <class T>
void gather(const GatherShape& shape, const T* x, T* y, int threads);

/// dx[o, index[k], e] += dy[o, k, e], in the order of k; cleared first where dx is overwritten.
template <class T>
void gather_backward(const GatherShape& shape, const T* dy, GradientSink<T> dx, int threads);

}  // namespace heddle::kernels
