#include "autograd/kernels/gemm.h"

#include <cblas.h>
#include <omp.h>

#include <algorithm>

#include "autograd/base/parallel.h"
#include "autograd/kernels/one_dnn.h"

namespace heddle::kernels {

namespace {

// Sizes of a panel of C. Smaller ones keep more threads busy; at these the product loses less than
// 3 % against one call (docs/performance.md).
constexpr std::int64_t kPanelRows = 1024;
constexpr std::int64_t kPanelColumns = 1024;
// A product of few panels and a long sum is cut along k: weight gradients.
constexpr std::int64_t kFewPanels = 4;
constexpr std::int64_t kChunk = 2048;
// Products run on one thread, in both libraries. openblas_set_num_threads(1) at start is not
// enough: outside a parallel region the OpenMP flavour of OpenBLAS takes OpenMP's current count at
// every call. So that count is one during the call, and what it was before afterwards (two stores
// to a thread-local variable).
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// The pthread flavour keeps the count that it is given once.
bool use_one_blas_thread() {
  const OneThread guard;
  openblas_set_num_threads(1);
  return true;
}
[[maybe_unused]] const bool kOneBlasThread = use_one_blas_thread();

bool takes_one_dnn(const ProductShape& s, bool a_transposed, GemmLibrary library) {
  return library == GemmLibrary::kOneDnn ||
         (library == GemmLibrary::kFaster && one_dnn_is_faster(s, a_transposed));
}

void multiply(const ProductShape& s, Operand<float> a, Operand<float> b, Product<float> c,
              GemmLibrary library) {
  const OneThread guard;
  if (takes_one_dnn(s, a.transposed, library)) return one_dnn_product(s, a, b, c);
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<blasint>(s.m),
              static_cast<blasint>(s.n), static_cast<blasint>(s.k), 1.0F, a.data,
              static_cast<blasint>(a.stride), b.data, static_cast<blasint>(b.stride),
              c.add ? 1.0F : 0.0F, c.data, static_cast<blasint>(c.stride));
}

void multiply(const ProductShape& s, Operand<double> a, Operand<double> b, Product<double> c,
              GemmLibrary) {
  const OneThread guard;
  cblas_dgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
              b.transposed ? CblasTrans : CblasNoTrans, static_cast<blasint>(s.m),
              static_cast<blasint>(s.n), static_cast<blasint>(s.k), 1.0, a.data,
              static_cast<blasint>(a.stride), b.data, static_cast<blasint>(b.stride),
              c.add ? 1.0 : 0.0, c.data, static_cast<blasint>(c.stride));
}

// op(X) without its first `rows` rows and `columns` columns.
template <class T>
Operand<T> from(Operand<T> x, std::int64_t rows, std::int64_t columns) {
  x.data += x.transposed ? columns * x.stride + rows : rows * x.stride + columns;
  return x;
}

template <class T>
Product<T> from(Product<T> c, std::int64_t rows, std::int64_t columns) {
  c.data += rows * c.stride + columns;
  return c;
}

std::int64_t panels(const ProductShape& s) {
  return ((s.m + kPanelRows - 1) / kPanelRows) * ((s.n + kPanelColumns - 1) / kPanelColumns);
}

template <class T>
void gemm_by_panels(const ProductShape& s, Operand<T> a, Operand<T> b, Product<T> c, int threads,
                    GemmLibrary library) {
  const std::int64_t across = (s.n + kPanelColumns - 1) / kPanelColumns;
  parallel_for(threads, panels(s), 1, [&](std::int64_t panel, std::int64_t) {
    const std::int64_t row = panel / across * kPanelRows;
    const std::int64_t column = panel % across * kPanelColumns;
    const ProductShape part{std::min(kPanelRows, s.m - row), std::min(kPanelColumns, s.n - column),
                            s.k};
    multiply(part, from(a, row, 0), from(b, 0, column), from(c, row, column), library);
  });
}

// The partial products of the chunks, then their sum in order. On one thread a single partial
// product is kept at a time; the additions are the same.
template <class T>
void gemm_by_chunks(const ProductShape& s, Operand<T> a, Operand<T> b, Product<T> c, Arena& scratch,
                    int threads, GemmLibrary library) {
  const std::int64_t chunks = (s.k + kChunk - 1) / kChunk;
  const ArenaScope scope(scratch);
  const std::int64_t kept = threads > 1 ? chunks - 1 : 1;
  T* const partial = scratch.allocate<T>(kept * s.m * s.n);
  const auto multiply_chunk = [&](std::int64_t chunk, Product<T> to) {
    const std::int64_t begin = chunk * kChunk;
    multiply({s.m, s.n, std::min(kChunk, s.k - begin)}, from(a, 0, begin), from(b, begin, 0), to,
             library);
  };
  const auto add = [&](const T* part) {
    parallel_for(threads, s.m, grain_for(s.n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t j = 0; j < s.n; ++j) c.data[i * c.stride + j] += part[i * s.n + j];
      }
    });
  };
  if (threads <= 1) {
    multiply_chunk(0, c);
    for (std::int64_t chunk = 1; chunk < chunks; ++chunk) {
      multiply_chunk(chunk, {partial, s.n});
      add(partial);
    }
    return;
  }
  parallel_for(threads, chunks, 1, [&](std::int64_t chunk, std::int64_t) {
    multiply_chunk(chunk, chunk == 0 ? c : Product<T>{partial + (chunk - 1) * s.m * s.n, s.n});
  });
  for (std::int64_t chunk = 1; chunk < chunks; ++chunk) add(partial + (chunk - 1) * s.m * s.n);
}

template <class T>
void clear(const ProductShape& s, Product<T> c) {
  if (c.add) return;
  for (std::int64_t i = 0; i < s.m; ++i) std::fill_n(c.data + i * c.stride, s.n, T{0});
}

}  // namespace

template <class T>
void gemm(const ProductShape& shape, Operand<T> a, Operand<T> b, Product<T> c, Arena& scratch,
          int threads, GemmLibrary library) {
  if (shape.m == 0 || shape.n == 0) return;
  if (shape.k == 0) return clear(shape, c);
  if (panels(shape) < kFewPanels && shape.k > kChunk) {
    gemm_by_chunks(shape, a, b, c, scratch, threads, library);
  } else {
    gemm_by_panels(shape, a, b, c, threads, library);
  }
}

const char* blas_core_name() {
  return openblas_get_corename();
}

template void gemm(const ProductShape&, Operand<float>, Operand<float>, Product<float>, Arena&, int,
                   GemmLibrary);
template void gemm(const ProductShape&, Operand<double>, Operand<double>, Product<double>, Arena&,
                   int, GemmLibrary);

}  // namespace heddle::kernels
