// Sums and their kin along one axis (negative axes count from the back). With `keepdim` the axis
// stays with size 1, so that the result broadcasts against x.
#pragma once

#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

Tensor sum(Context& context, const Tensor& x, int axis, bool keepdim = false);
Tensor mean(Context& context, const Tensor& x, int axis, bool keepdim = false);
/// The largest; its gradient goes to the first of equals.
Tensor max(Context& context, const Tensor& x, int axis, bool keepdim = false);
/// sum (x - mean)^2 / (n - correction): correction 1 is the unbiased estimate, 0 the population's.
Tensor variance(Context& context, const Tensor& x, int axis, bool keepdim = false,
                int correction = 1);
/// log sum exp(x), without overflow.
Tensor logsumexp(Context& context, const Tensor& x, int axis, bool keepdim = false);

/// The sum of all elements: a scalar.
Tensor sum_all(Context& context, const Tensor& x);

/// exp(x - logsumexp(x)) along one axis. -infinity is allowed and gives 0.
Tensor softmax(Context& context, const Tensor& x, int axis = -1);
/// x - logsumexp(x) along one axis.
Tensor log_softmax(Context& context, const Tensor& x, int axis = -1);

}  // namespace heddle
