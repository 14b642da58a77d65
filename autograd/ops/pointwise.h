// Functions of one tensor, element by element; the result has its shape and type.
#pragma once

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

Tensor neg(Context& context, const Tensor& x);
/// |x|; the gradient at 0 is 0.
Tensor abs(Context& context, const Tensor& x);
Tensor exp(Context& context, const Tensor& x);
/// Natural logarithm; NaN below 0, -infinity at 0.
Tensor log(Context& context, const Tensor& x);
Tensor sqrt(Context& context, const Tensor& x);
/// x to a constant power.
Tensor pow(Context& context, const Tensor& x, double exponent);
Tensor tanh(Context& context, const Tensor& x);
/// 1 / (1 + exp(-x)).
Tensor sigmoid(Context& context, const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(Context& context, const Tensor& x);
/// x Phi(x) with the normal distribution function Phi, by erf (Hendrycks and Gimpel 2016).
Tensor gelu(Context& context, const Tensor& x);
/// x sigmoid(x), also called swish (Ramachandran et al. 2017).
Tensor silu(Context& context, const Tensor& x);

/// Zeroes each element with `probability` in [0, 1) and multiplies the others by
/// 1 / (1 - probability). Without training, x itself.
Tensor dropout(Context& context, const Tensor& x, double probability);
/// x without its history: no gradient flows back.
Tensor stop_gradient(Context& context, const Tensor& x);

}  // namespace heddle
