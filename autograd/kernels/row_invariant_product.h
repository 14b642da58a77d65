// The product of inference, whose rows do not depend on each other, and weights prepared for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "autograd/kernels/gemm.h"

namespace heddle::kernels {

/// Weights in the order in which row_invariant_product() takes them, once for all products: a copy
/// of each that it multiplied by. They must stay as they are for as long as this lives. Several
/// threads may use it at once.
class PreparedWeights {
 public:
  /// The panels of W [n, k], made when they are asked for the first time.
  template <class T>
  const T* panels(const ProductShape& shape, Operand<T> weight);
  /// Of how many weights.
  std::size_t size() const { return panels_.size(); }

 private:
  using Key = std::tuple<const void*, std::int64_t, std::int64_t>;  // data, n, k
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<void>> panels_;
};

/// C = A W^T for A [m, k] and a weight W [n, k], where an element of C is computed by the same
/// operations in the same order however many rows there are and wherever its row stands: what
/// decoding needs so that a translation does not depend on its batch. OpenBLAS does not promise
/// that (it takes other kernels for few rows, and its AVX2 kernels treat rows by their position
/// modulo 12), so this product is our own.
///
/// For few rows most of its time goes into the order that it needs W in, and for 32 a fifth still.
/// `prepared` remembers that.
template <class T>
void row_invariant_product(const ProductShape& shape, Operand<T> a, Operand<T> weight, Product<T> c,
                           int threads, PreparedWeights* prepared = nullptr);

}  // namespace heddle::kernels
