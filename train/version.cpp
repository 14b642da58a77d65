#include "train/version.h"

#include "autograd/kernels/gemm.h"
#include "autograd/kernels/simd.h"

namespace heddle {

const char* version() {
  return HEDDLE_VERSION;
}

std::string version_text() {
#ifdef __clang__
  const std::string compiler = __VERSION__;  // begins with its name
#else
  const std::string compiler = "GCC " __VERSION__;
#endif
  const std::string one_dnn = kernels::one_dnn_version();
  return std::string("heddle ") + version() + "\n" + compiler + ", vectors of " +
         std::to_string(8 * kernels::kVectorBytes) + " bits, OpenBLAS " +
         kernels::blas_core_name() + (one_dnn.empty() ? "" : ", oneDNN " + one_dnn);
}

}  // namespace heddle
