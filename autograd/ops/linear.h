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

/// dropout(activation(x weight^T + bias)) for x [..., in], weight [out, in], bias [out] (or an
/// empty Tensor: none): [..., out]. Activation and dropout are the epilogue of the product: they
/// work in its memory, and where ReLU comes before it dropout needs no mask in backward, as what it
/// dropped is zero like what ReLU did. Behind tanh and sigmoid, whose backward reads their results,
/// dropout is an operation of its own.
Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Activation activation = Activation::kNone, double dropout = 0.0);

}  // namespace heddle
