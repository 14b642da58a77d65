// Gated linear units (Shazeer 2020, "GLU variants improve Transformer"): a row of x is a gate and a
// value side by side,
//
//   x = [gate | value] [rows, 2 n],   y = f(gate) * value [rows, n]
//   dgate = dy value f'(gate),        dvalue = dy f(gate)
//
// with GLU for f = sigmoid, ReGLU, GEGLU, SwiGLU (silu) and, without f, the bilinear form. Backward
// computes f(gate) again, so that a step keeps x and nothing else.
#pragma once

#include <cstdint>

#include "autograd/kernels/activation.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

/// y [rows, n] from x [rows, 2 n].
template <class T>
void gated(Activation activation, std::int64_t rows, std::int64_t n, const T* x, T* y, int threads);

/// dx [rows, 2 n] (+)= [dgate | dvalue] from x and dy [rows, n].
template <class T>
void gated_backward(Activation activation, std::int64_t rows, std::int64_t n, const T* x,
                    const T* dy, GradientSink<T> dx, int threads);

}  // namespace heddle::kernels
