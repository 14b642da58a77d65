// Matrix products behind one door: C = op(A) op(B), or C += op(A) op(B), all row-major.
//
// The work is done on one thread by OpenBLAS or, where the build has it and is faster with it, by
// oneDNN (inference: see row_invariant_product). A product that
// is large enough is cut here into panels of C, and a long sum (weight gradients: k = tokens) into
// chunks of k that are added in order. The cuts depend on the shape alone, and the same cuts are
// made on one thread, so that results have the same bits for any number of threads. Nothing else in
// the project calls BLAS or oneDNN.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "autograd/base/arena.h"

namespace heddle::kernels {

/// A matrix in memory: element (i, j) is data[i * stride + j]; op() transposes it where asked.
template <class T>
struct Operand {
  const T* data;
  std::int64_t stride;
  bool transposed = false;
};

/// The matrix that receives a product: overwritten, or added to (BLAS: beta = 0 or 1).
template <class T>
struct Product {
  T* data;
  std::int64_t stride;
  bool add = false;
};

struct ProductShape {
  std::int64_t m, n, k;  // op(A) is [m, k], op(B) is [k, n], C is [m, n]
};

/// Whose kernels multiply. In float64 it is always OpenBLAS.
enum class GemmLibrary {
  kFaster,  // for the shape; of those that this build has
  kOpenBlas,
  kOneDnn,
};

/// C (+)= op(A) op(B). `scratch` is used for partial sums and given back.
template <class T>
void gemm(const ProductShape& shape, Operand<T> a, Operand<T> b, Product<T> c, Arena& scratch,
          int threads, GemmLibrary library = GemmLibrary::kFaster);

/// Weights in the order in which row_invariant_product() takes them, once for all products: a copy
/// of each that it multiplied by. They must stay as they are for as long as this lives. Several
/// threads may use it at once.
class PackedWeights {
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
/// For few rows most of its time goes into the order that it needs W in. `packed` remembers that.
template <class T>
void row_invariant_product(const ProductShape& shape, Operand<T> a, Operand<T> weight, Product<T> c,
                           int threads, PackedWeights* packed = nullptr);

/// The name of the kernels that OpenBLAS chose for this processor, for example "SkylakeX".
const char* blas_core_name();
/// For example "2.6.3"; empty where the build does not have oneDNN.
const char* one_dnn_version();

}  // namespace heddle::kernels
