// The matrix products of an update alone: the time that an update cannot go below with
// this library.
//
// A weight W [n, k] takes part in three products, each one call of the product door, in float32:
//
//   y = x W^T,   dx = dy W,   dW = dy^T x        x, dx [m, k]; y, dy [m, n]
//
// Nothing else is counted: no products of attention, nothing that an update computes twice.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "autograd/kernels/gemm.h"

namespace heddle {

class ProductTiming {
 public:
  using Products = std::vector<kernels::ProductShape>;  // [m, n, k] as in y = x W^T

  enum class Which : std::uint8_t { kForward, kAll };  // y alone, or the three of them

  /// The products of each lane. Operands are allocated and filled here. Lanes run on one thread
  /// each, up to `threads` lanes at a time.
  ProductTiming(std::vector<Products> lanes, int threads, kernels::GemmLibrary library,
                Which which = Which::kAll);
  ~ProductTiming();
  ProductTiming(const ProductTiming&) = delete;
  ProductTiming& operator=(const ProductTiming&) = delete;

  /// Computes all products of all lanes once.
  void run();
  /// Of the fastest run so far.
  double seconds() const { return static_cast<double>(best_) * 1e-9; }

 private:
  class Lane;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int threads_;
  Which which_;
  std::int64_t best_ = std::numeric_limits<std::int64_t>::max();  // nanoseconds
};

}  // namespace heddle
