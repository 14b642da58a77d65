// Products by oneDNN, where the build has it (CMake: HEDDLE_ONEDNN). Only the product door calls
// it.
#pragma once

#include "autograd/kernels/gemm.h"

namespace heddle::kernels {

/// Whether oneDNN is there and the faster library for op(A) op(B) of this shape on this processor
/// (docs/performance.md).
bool one_dnn_is_faster(const ProductShape& shape, bool a_transposed);

/// C (+)= op(A) op(B) on the calling thread, if OpenMP's count is one. Throws where the build does
/// not have oneDNN. No signal handler may run on that thread meanwhile, unless on a stack of its
/// own (sigaltstack): inside, the stack pointer points into the heap.
void one_dnn_product(const ProductShape& shape, Operand<float> a, Operand<float> b,
                     Product<float> c);

}  // namespace heddle::kernels
