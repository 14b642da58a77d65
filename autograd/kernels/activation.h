// The epilogue of a linear layer: bias and activation, in one pass over the product, and backward.
//
//   pre = product + bias,   y = f(pre);   dpre = scale dy f'(.),   dbias = sum of the rows of dpre
//
// All matrices are [rows, columns], contiguous; bias is [columns]. f' is computed from y where that
// is possible (relu, tanh, sigmoid: nothing else is stored), from pre for gelu and silu.
#pragma once

#include <cstdint>

#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

enum class Activation { kNone, kRelu, kGelu, kSilu, kTanh, kSigmoid };

/// Whether backward needs pre, not y: forward then has to store it.
bool backward_reads_pre(Activation activation);

/// y = f(product + bias), `bias` may be null. `pre`, where it is not null, gets product + bias.
/// y or pre may be the memory of `product`.
template <class T>
void bias_activation(Activation activation, std::int64_t rows, std::int64_t columns,
                     const T* product, const T* bias, T* pre, T* y, int threads);

/// dpre = scale dy f'(.) and dbias (+)= the sum of its rows. `saved` is pre where
/// backward_reads_pre, else y (not read for kNone). `dpre` may be dy's memory; for kNone without a
/// scale it may be null: then it is dy.
template <class T>
void bias_activation_backward(Activation activation, std::int64_t rows, std::int64_t columns,
                              const T* saved, const T* dy, T* dpre, GradientSink<T> dbias,
                              int threads, T scale = T{1});

}  // namespace heddle::kernels
