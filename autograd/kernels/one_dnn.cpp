#include "autograd/kernels/one_dnn.h"

#include "autograd/base/check.h"

#ifdef HEDDLE_ONEDNN

#include <dnnl.h>

#include <algorithm>
#include <string>

namespace heddle::kernels {

const char* one_dnn_version() {
  static const std::string version = [] {
    const dnnl_version_t& v = *dnnl_version();
    return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
  }();
  return version.c_str();
}

bool one_dnn_is_faster(const ProductShape& shape, bool a_transposed) {
  constexpr std::int64_t kSmallest = 64;  // below, calls cost more than better kernels gain
  if (std::min({shape.m, shape.n, shape.k}) < kSmallest) return false;
  // With AVX2, what it copies of a transposed A and of longer sums costs more than is gained.
  static const bool avx512 =
      (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  constexpr std::int64_t kLongestSum = 384;
  return avx512 || (!a_transposed && shape.k <= kLongestSum);
}

void one_dnn_product(const ProductShape& s, Operand<float> a, Operand<float> b, Product<float> c) {
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', s.m, s.n, s.k, 1.0F, a.data,
                 a.stride, b.data, b.stride, c.add ? 1.0F : 0.0F, c.data, c.stride);
  check(status == dnnl_success, "oneDNN: the product of [", s.m, ", ", s.k, "] and [", s.k, ", ",
        s.n, "] failed with status ", static_cast<int>(status),
        "; build with -DHEDDLE_ONEDNN=OFF to do without it");
}

}  // namespace heddle::kernels

#else

namespace heddle::kernels {

const char* one_dnn_version() {
  return "";
}

bool one_dnn_is_faster(const ProductShape&, bool) {
  return false;
}

void one_dnn_product(const ProductShape&, Operand<float>, Operand<float>, Product<float>) {
  fail<Error>("this build has no oneDNN; build with -DHEDDLE_ONEDNN=ON");
}

}  // namespace heddle::kernels

#endif
