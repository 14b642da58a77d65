// The normalisation of the residual stream: layer norm (Ba et al. 2016), as in the paper, or RMS
// norm (Zhang and Sennrich 2019), which has no bias. With d_model values in a row x,
//
//   layer_norm   (x - mean) / sqrt(variance + eps) * gain + bias
//   rms_norm     x / sqrt(mean(x^2) + eps) * gain
#pragma once

#include <optional>

#include "autograd/ops/norm.h"
#include "autograd/parameter.h"
#include "configs/config.h"

namespace heddle {

struct Norm {
  Parameter gain;                 // [d_model]
  std::optional<Parameter> bias;  // [d_model]; RMS norm: none
  double eps;

  /// Reads "norm" and "norm_eps".
  Norm(const Scope& scope, const Config& config, std::int64_t d_model);

  /// x [tokens, d_model] -> the same shape.
  Tensor operator()(Context& context, const Tensor& x) const;
  /// x + dropout(delta), and its norm, in one pass.
  ResidualNorm of_residual(Context& context, const Tensor& x, const Tensor& delta,
                           double dropout) const;
};

}  // namespace heddle
