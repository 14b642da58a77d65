// Gated linear units.
#pragma once

#include "autograd/context.h"
#include "autograd/kernels/activation.h"
#include "autograd/tensor.h"

namespace heddle {

using kernels::Activation;

/// activation(gate) * value, where x [..., 2 n] holds gate in its first n columns and value in the
/// others: [..., n] (Shazeer 2020, "GLU variants improve Transformer", equations 3 to 5).
Tensor gated(Context& context, const Tensor& x, Activation activation);

}  // namespace heddle
