// Matrix products: the general one, and the projection of a layer.
#pragma once

#include "autograd/context.h"
#include "autograd/kernels/activation.h"
#include "autograd/tensor.h"

namespace heddle {

using kernels::Activation;

/// a [..., m, k] times b [..., k, n]: [..., m, n]. Leading dimensions are equal, or one factor is a
/// single matrix that serves all of the other, whose leading dimensions the result has.
Tensor matmul(Context& context, const Tensor& a, const Tensor& b);

/// activation(x weight^T + bias) for x [..., in], weight [out, in], bias [out] (or an empty Tensor:
/// none): [..., out]. The activation is the epilogue of the product.
Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Activation activation = Activation::kNone);

}  // namespace heddle
