// heddle_benchmarks [--benchmark_filter=REGEX ...]: every kernel beside its bound, as Markdown.
#include <cstdio>

#include "autograd/kernels/gemm.h"
#include "benchmarks/report.h"

int main(int argc, char** argv) {
  using namespace heddle::bench;
  std::vector<Pair> pairs = pointwise_pairs();
  for (const auto& more : {row_pairs(), matrix_pairs(), attention_pairs(), op_pairs()}) {
    pairs.insert(pairs.end(), more.begin(), more.end());
  }
  std::fprintf(stderr, "OpenBLAS kernels: %s, one thread\n", heddle::kernels::blas_core_name());
  return run_pairs(argc, argv, pairs);
}
