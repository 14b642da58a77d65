// Views and rearrangements. Only reshape shares memory with its input (and its gradient).
#pragma once

#include <span>

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

/// The same elements in another shape.
Tensor reshape(Context& context, const Tensor& x, const Shape& shape);
/// Swaps two axes; by default the last two.
Tensor transpose(Context& context, const Tensor& x, int axis_a = -2, int axis_b = -1);
/// Elements [begin, end) of one axis. Without training, those of the first axis share the memory of
/// x.
Tensor slice(Context& context, const Tensor& x, int axis, std::int64_t begin, std::int64_t end);
/// One after the other along an axis; all other dimensions agree.
Tensor concat(Context& context, std::span<const Tensor> parts, int axis);
/// Tensors of one shape along a new axis.
Tensor stack(Context& context, std::span<const Tensor> parts, int axis);
/// The entries `indices` of one axis, in their order; an index may repeat. Throws where one is
/// outside.
Tensor gather(Context& context, const Tensor& x, int axis, std::span<const std::int32_t> indices);

}  // namespace heddle
