// Normalisation of rows, alone and fused with the residual connection in front of it.
#pragma once

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

/// (x - mean) / sqrt(variance + eps) * gain + bias over the last dimension (Ba et al. 2016), with
/// the population's variance. gain and bias are [columns].
Tensor layer_norm(Context& context, const Tensor& x, const Tensor& gain, const Tensor& bias,
                  double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) * gain over the last dimension (Zhang and Sennrich 2019).
Tensor rms_norm(Context& context, const Tensor& x, const Tensor& gain, double eps = 1e-6);

struct ResidualNorm {
  Tensor sum;     // x + dropout(delta): the residual stream
  Tensor normed;  // norm(sum)
};

/// sum = x + dropout(delta) and its norm in one pass (Vaswani et al. 2017, section 3.1, residual
/// dropout of section 5.4). Layer norm, or RMS norm where `bias` is an empty Tensor.
ResidualNorm residual_norm(Context& context, const Tensor& x, const Tensor& delta,
                           const Tensor& gain, const Tensor& bias, double dropout, double eps);
/// x + dropout(delta), where no norm follows.
Tensor residual(Context& context, const Tensor& x, const Tensor& delta, double dropout);

}  // namespace heddle
