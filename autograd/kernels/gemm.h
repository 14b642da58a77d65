// Matrix products behind one door: C = op(A) op(B), or C += op(A) op(B), all row-major.
//
// The work is done on one thread by OpenBLAS or, where the build has it and is faster with it, by
// oneDNN (inference: see row_invariant_product.h). A product that
// is large enough is cut here into panels of C, and a long sum (weight gradients: k = tokens) into
// chunks of k that are added in order. The cuts depend on the shape alone, and the same cuts are
// made on one thread, so that results have the same bits for any number of threads. Nothing else in
// the project calls BLAS or oneDNN.
#pragma once

#include <cstdint>

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

/// The name of the kernels that OpenBLAS chose for this processor, for example "SkylakeX".
const char* blas_core_name();
/// For example "2.6.3"; empty where the build does not have oneDNN.
const char* one_dnn_version();

}  // namespace heddle::kernels
