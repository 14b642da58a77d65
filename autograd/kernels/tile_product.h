// C = A B for matrices so small that a BLAS call would cost more than the product: one strip of C
// stays in registers while a broadcast element of A meets vectors of a row of B.
//
// B is row-major, its columns padded to whole vectors. What becomes of a finished vector of C is
// the caller's function: store it, add it, scale it. Every element of C is one chain of
// multiply-adds over p = 0, 1, ..., so that its bits do not depend on the strip it lies in.
#pragma once

#include <cstdint>

#include "autograd/kernels/simd.h"

namespace heddle::kernels {

/// Element (i, p) of the left factor is data[i * ld + p].
template <class T>
struct RowMajor {
  const T* data;
  std::int64_t ld;
  T operator()(std::int64_t i, std::int64_t p) const { return data[i * ld + p]; }
  RowMajor from_row(std::int64_t i) const { return {data + i * ld, ld}; }
};

/// Element (i, p) of the left factor is data[p * ld + i].
template <class T>
struct ColumnMajor {
  const T* data;
  std::int64_t ld;
  T operator()(std::int64_t i, std::int64_t p) const { return data[p * ld + i]; }
  ColumnMajor from_row(std::int64_t i) const { return {data + i, ld}; }
};

// 16 of 32 registers accumulate with AVX-512 (24 measured no faster), 12 of 16 without.
inline constexpr int kStripVectors = 2;
inline constexpr int kStripRows = kVectorBytes == 64 ? 8 : 6;

// A function of its own: inlined into a larger one, GCC 12 spills the sums inside the loop.
template <class T, int kRows, int kVectors, class Left, class Store>
[[gnu::noinline]] void multiply_strip(std::int64_t depth, Left a, const T* b, std::int64_t ldb,
                                      const Store& store) {
  Vector<T> sums[kRows][kVectors] = {};
  for (std::int64_t p = 0; p < depth; ++p) {
    Vector<T> row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) row[v] = load(b + p * ldb + v * kElements<T>);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector<T> element = broadcast(a(i, p));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[i][v] += element * row[v];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(i, v * kElements<T>, sums[i][v]);
  }
}

/// multiply_strip for a number of rows known at run time.
template <class T, int kVectors, int kRows = kStripRows, class Left, class Store>
[[gnu::always_inline]] inline void multiply_rows(std::int64_t rows, std::int64_t depth, Left a,
                                                 const T* b, std::int64_t ldb, const Store& store) {
  if (rows == kRows) {
    multiply_strip<T, kRows, kVectors>(depth, a, b, ldb, store);
  } else if constexpr (kRows > 1) {
    multiply_rows<T, kVectors, kRows - 1>(rows, depth, a, b, ldb, store);
  }
}

/// Calls store(i, j, C[i, j .. j + kElements<T> - 1]) for all rows i and every kElements-th column
/// j of C = A B with A [rows, depth] and B [depth, columns]. Reads B up to the next whole vector.
template <class T, class Left, class Store>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, Left a, const T* b,
              std::int64_t ldb, const Store& store) {
  // Strips of equal height: 9 rows as 5 + 4 hide the latency of the additions, 8 + 1 do not.
  const std::int64_t strips = (rows + kStripRows - 1) / kStripRows;
  std::int64_t i = 0;
  for (std::int64_t left = strips; left > 0; --left) {
    const std::int64_t height = (rows - i + left - 1) / left;
    const auto put_row = [&](std::int64_t first) {
      return [&store, i, first](int r, int c, Vector<T> sum) { store(i + r, first + c, sum); };
    };
    std::int64_t j = 0;
    for (; j + kElements<T> < columns; j += kStripVectors * kElements<T>) {
      multiply_rows<T, kStripVectors>(height, depth, a.from_row(i), b + j, ldb, put_row(j));
    }
    if (j < columns) multiply_rows<T, 1>(height, depth, a.from_row(i), b + j, ldb, put_row(j));
    i += height;
  }
}

}  // namespace heddle::kernels
