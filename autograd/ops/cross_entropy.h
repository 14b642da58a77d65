// Output projection, softmax, label smoothing and loss in one operation that never holds all
// logits.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

struct CrossEntropyOptions {
  double smoothing = 0.0;  // label smoothing: spread over all classes, the target included
  std::int64_t classes =
      0;  // rows of the weight that are classes; 0: all. The others get no gradient
};

/// sum_i w_i (-log p_i[target_i]) as a scalar, with p_i = softmax(x_i weight^T + bias), and with
/// smoothing e: (1 - e) times that plus e / classes times the sum over all classes (Szegedy et al.
/// 2016, section 7). x [rows, d_model], weight [vocabulary, d_model], bias [vocabulary] or an empty
/// Tensor, targets and row weights [rows].
///
/// Terminal: when recording it computes the gradients of x, weight and bias on the way, so backward
/// must start here, with 1 as the gradient. A loss that is scaled or combined with others is built
/// from linear, log_softmax and gather instead.
Tensor cross_entropy(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                     std::span<const std::int32_t> targets, std::span<const double> row_weights,
                     const CrossEntropyOptions& options = {});

}  // namespace heddle
