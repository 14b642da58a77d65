// c_ij = sum_l a_il w_jl as dot products along l. A tile of rows of A and of rows of W shares its
// loads; every element has an accumulator of its own, one vector wide, whose lanes are added in a
// fixed order at the end. Which tile an element falls into changes nothing about its bits.

#include <algorithm>

#include "autograd/base/parallel.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/simd.h"

namespace heddle::kernels {

namespace {

// Accumulators that fit the registers beside the operands: 16 of 32 with AVX-512, 8 of 16 with
// AVX2.
constexpr int kTileRows = kVectorBytes == 64 ? 4 : 2;
constexpr int kTileOuts = 4;
// Rows of A that stay in the cache while all of W passes by, and elements of work per block.
constexpr std::int64_t kRowsPerBlock = 64;
constexpr std::int64_t kOutsPerBlock = 128;

template <class T, int kRows, int kOuts>
void multiply_tile(std::int64_t k, Operand<T> a, Operand<T> w, Product<T> c) {
  Vector<T> sums[kRows][kOuts] = {};
  const auto accumulate = [&](auto&& read, std::int64_t l) {
    Vector<T> weights[kOuts];
#pragma GCC unroll 4
    for (int j = 0; j < kOuts; ++j) weights[j] = read(w.data + j * w.stride + l);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const Vector<T> x = read(a.data + i * a.stride + l);
#pragma GCC unroll 4
      for (int j = 0; j < kOuts; ++j) sums[i][j] = multiply_add<T>(x, weights[j], sums[i][j]);
    }
  };
  const std::int64_t whole = k / kLanes<T> * kLanes<T>;
  for (std::int64_t l = 0; l < whole; l += kLanes<T>) {
    accumulate([](const T* p) { return load(p); }, l);
  }
  if (whole < k) accumulate([&](const T* p) { return load_part(p, k - whole); }, whole);
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kOuts; ++j) {
      T* const target = c.data + i * c.stride + j;
      const T sum = sum_of_lanes<T>(sums[i][j]);
      *target = c.add ? *target + sum : sum;
    }
  }
}

template <class T, int kRows>
void multiply_rows(std::int64_t outs, std::int64_t k, Operand<T> a, Operand<T> w, Product<T> c) {
  std::int64_t j = 0;
  for (; j + kTileOuts <= outs; j += kTileOuts) {
    multiply_tile<T, kRows, kTileOuts>(k, a, {w.data + j * w.stride, w.stride},
                                       {c.data + j, c.stride, c.add});
  }
  for (; j < outs; ++j) {
    multiply_tile<T, kRows, 1>(k, a, {w.data + j * w.stride, w.stride},
                               {c.data + j, c.stride, c.add});
  }
}

}  // namespace

template <class T>
void row_invariant_product(const ProductShape& s, Operand<T> a, Operand<T> w, Product<T> c,
                           int threads) {
  const std::int64_t across = (s.n + kOutsPerBlock - 1) / kOutsPerBlock;
  const std::int64_t down = (s.m + kRowsPerBlock - 1) / kRowsPerBlock;
  parallel_for(threads, across * down, 1, [&](std::int64_t block, std::int64_t) {
    const std::int64_t out = block % across * kOutsPerBlock;
    const std::int64_t outs = std::min(kOutsPerBlock, s.n - out);
    const std::int64_t end = std::min(s.m, (block / across + 1) * kRowsPerBlock);
    const Operand<T> weight{w.data + out * w.stride, w.stride};
    std::int64_t i = block / across * kRowsPerBlock;
    for (; i + kTileRows <= end; i += kTileRows) {
      multiply_rows<T, kTileRows>(outs, s.k, {a.data + i * a.stride, a.stride}, weight,
                                  {c.data + i * c.stride + out, c.stride, c.add});
    }
    for (; i < end; ++i) {
      multiply_rows<T, 1>(outs, s.k, {a.data + i * a.stride, a.stride}, weight,
                          {c.data + i * c.stride + out, c.stride, c.add});
    }
  });
}

template void row_invariant_product(const ProductShape&, Operand<float>, Operand<float>,
                                    Product<float>, int);
template void row_invariant_product(const ProductShape&, Operand<double>, Operand<double>,
                                    Product<double>, int);

}  // namespace heddle::kernels
