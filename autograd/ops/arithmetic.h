// Element by element, with broadcasting: shapes are aligned at their last dimension, and a size of
// 1 (or a missing dimension) stretches. The gradient of a stretched operand is summed back.
#pragma once

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

Tensor add(Context& context, const Tensor& a, const Tensor& b);
Tensor sub(Context& context, const Tensor& a, const Tensor& b);
Tensor mul(Context& context, const Tensor& a, const Tensor& b);
Tensor div(Context& context, const Tensor& a, const Tensor& b);
/// The larger of both; where they are equal each gets half of the gradient.
Tensor maximum(Context& context, const Tensor& a, const Tensor& b);

/// factor * x.
Tensor scale(Context& context, const Tensor& x, double factor);
/// x + amount.
Tensor shift(Context& context, const Tensor& x, double amount);

/// a where mask (uint8, broadcast) is not 0, else b.
Tensor where(Context& context, const Tensor& mask, const Tensor& a, const Tensor& b);
/// `value` where mask (uint8, broadcast to x) is not 0, else x.
Tensor masked_fill(Context& context, const Tensor& x, const Tensor& mask, double value);

}  // namespace heddle
