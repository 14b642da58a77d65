// The matrix products of an update alone: the time that an update cannot go below with this BLAS.
//
// A weight W [n, k] takes part in three products, each one call of the product door, in float32:
//
//   y = x W^T,   dx = dy W,   dW = dy^T x        x, dx [m, k]; y, dy [m, n]
//
// Nothing else is counted: no products of attention, nothing that an update computes twice.
#pragma once

#include <span>
#include <vector>

#include "autograd/kernels/gemm.h"

namespace heddle {

/// Seconds for these products of each lane, [m, n, k] as in y = x W^T: one thread for each lane, up
/// to `threads` lanes at a time; the best of five.
double seconds_of_products(std::span<const std::vector<kernels::ProductShape>> lanes, int threads);

}  // namespace heddle
