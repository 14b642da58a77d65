// Residual connection, dropout and norm in one pass (Vaswani et al. 2017, section 5.4):
//
//   sum = x + dropout(delta)          y = norm(sum)
//
// x is the residual stream, delta what a sublayer adds to it. A post-norm model goes on with y; a
// pre-norm model (Xiong et al. 2020) feeds y to the next sublayer and goes on with sum, so that
// gradients can arrive at both. residual_add is the sum alone. All matrices are [rows, columns].
#pragma once

#include <cstdint>

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gradient_sink.h"
#include "autograd/kernels/norm.h"

namespace heddle::kernels {

/// sum = x + dropout(delta).
template <class T>
void residual_add(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
                  const T* delta, T* sum, int threads);

/// Where the gradients of x and delta go. Without dropout they are equal, and both are written.
template <class T>
struct ResidualGradients {
  GradientSink<T> x;
  GradientSink<T> delta;
};

/// dx = dsum, ddelta = mask * scale * dsum.
template <class T>
void residual_add_backward(const Dropout& dropout, std::int64_t rows, std::int64_t columns,
                           const T* dsum, const ResidualGradients<T>& sinks, int threads);

/// sum = x + dropout(delta), y = norm(sum); mean and rstd of sum are saved.
template <class T>
void residual_norm(const Norm<T>& norm, const Dropout& dropout, std::int64_t rows,
                   std::int64_t columns, const T* x, const T* delta, T* sum, T* y,
                   NormStatistics<T> statistics, int threads);

/// The gradients that arrive from above; at least one is there.
template <class T>
struct ResidualNormUpstream {
  const T* dy = nullptr;    // at y; null where only sum was used
  const T* dsum = nullptr;  // at sum, from elsewhere; null where only y was used
};

/// With d = norm_backward(dy) + dsum: dx = d, ddelta = mask * scale * d; dgain and dbias as in
/// norm_backward, with the same scratch.
template <class T>
void residual_norm_backward(const Norm<T>& norm, const Dropout& dropout, std::int64_t rows,
                            std::int64_t columns, const ResidualNormUpstream<T>& upstream,
                            const T* sum, NormStatistics<T> statistics,
                            const ResidualGradients<T>& sinks, const NormGradients<T>& gradients,
                            int threads);

}  // namespace heddle::kernels
