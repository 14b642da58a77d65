// Functions of two tensors with broadcasting, selection by a mask, and their backward.
//
// Shapes are aligned at their last dimension; a size of 1 or a missing dimension stretches. The
// result has the shape `broadcast` (autograd/base/shape.h) of the operands, all are contiguous. The
// gradient of a stretched operand is summed over what it was stretched to.
#pragma once

#include <cstdint>

#include "autograd/base/shape.h"
#include "autograd/kernels/gradient_target.h"

namespace heddle::kernels {

enum class Binary { kAdd, kSub, kMul, kDiv, kMaximum };

/// An operand and its shape.
template <class T>
struct Stretched {
  const T* data;
  Shape shape;
};

/// y = a (function) b.
template <class T>
void binary(Binary function, const Stretched<T>& a, const Stretched<T>& b, T* y, int threads);

/// da and db from dy, which has the shape of the result. add and sub do not read a and b: their
/// data may be null. maximum: where a = b each gets half, as in PyTorch.
template <class T>
void binary_backward(Binary function, const Stretched<T>& a, const Stretched<T>& b, const T* dy,
                     GradientTarget<T> da, GradientTarget<T> db, int threads);

/// y = a where mask is not 0, else b.
template <class T>
void where(const Stretched<std::uint8_t>& mask, const Stretched<T>& a, const Stretched<T>& b, T* y,
           int threads);

/// da gets dy where mask is not 0, db elsewhere; of a and b only the shapes are read.
template <class T>
void where_backward(const Stretched<std::uint8_t>& mask, const Shape& a, const Shape& b,
                    const T* dy, GradientTarget<T> da, GradientTarget<T> db, int threads);

/// y = value where mask (which broadcasts to x) is not 0, else x.
template <class T>
void masked_fill(const Stretched<T>& x, const Stretched<std::uint8_t>& mask, double value, T* y,
                 int threads);

/// dx gets dy where mask is 0, else 0.
template <class T>
void masked_fill_backward(const Shape& x, const Stretched<std::uint8_t>& mask, const T* dy,
                          GradientTarget<T> dx, int threads);

}  // namespace heddle::kernels
