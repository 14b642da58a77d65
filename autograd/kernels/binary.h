// Functions of two tensors with broadcasting, selection by a mask, and their backward.
//
// Shapes are aligned at their last dimension; a size of 1 or a missing dimension stretches. The
// result has the shape `broadcast` (autograd/base/shape.h) of the operands; all are contiguous. The
// gradient of a stretched operand is summed over what it was stretched to.
#pragma once

#include <cstdint>

#include "autograd/base/shape.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

enum class Binary { kAdd, kSub, kMul, kDiv, kMaximum };

/// The shapes of the operands, and what they broadcast to.
struct BinaryShape {
  Shape a, b, result;
};

/// y = a (function) b.
template <class T>
void binary(Binary function, const BinaryShape& shape, const T* a, const T* b, T* y, int threads);

/// da and db from dy, which has the shape of the result. add and sub do not read a and b, which may
/// be null. maximum: where a = b each gets half, as in PyTorch.
template <class T>
void binary_backward(Binary function, const BinaryShape& shape, const T* a, const T* b, const T* dy,
                     GradientSink<T> da, GradientSink<T> db, int threads);

/// y = a where mask is not 0, else b. `mask_shape` broadcasts to the result, too.
template <class T>
void where(const BinaryShape& shape, const Shape& mask_shape, const std::uint8_t* mask, const T* a,
           const T* b, T* y, int threads);

/// da gets dy where mask is not 0, db elsewhere.
template <class T>
void where_backward(const BinaryShape& shape, const Shape& mask_shape, const std::uint8_t* mask,
                    const T* dy, GradientSink<T> da, GradientSink<T> db, int threads);

/// y = value where mask is not 0, else x; `mask_shape` broadcasts to that of x.
template <class T>
void masked_fill(const Shape& shape, const Shape& mask_shape, const std::uint8_t* mask, const T* x,
                 double value, T* y, int threads);

/// dx gets dy where mask is 0, else 0.
template <class T>
void masked_fill_backward(const Shape& shape, const Shape& mask_shape, const std::uint8_t* mask,
                          const T* dy, GradientSink<T> dx, int threads);

}  // namespace heddle::kernels
