// c_ij = sum_l a_il w_jl, each element by fused additions in the order of l. Vectors run over the
// rows of W, a panel of which is transposed (beforehand, or where it is needed) and serves all rows
// of A, so that nothing is added across elements; each element of A is broadcast. Which tile an
// element falls into changes nothing about its bits.

#include "autograd/kernels/row_invariant_product.h"

#include <algorithm>

#include "autograd/base/aligned.h"
#include "autograd/base/parallel.h"
#include "autograd/kernels/simd.h"
#include "autograd/kernels/transpose.h"

namespace heddle::kernels {

namespace {

// Accumulators that fit the registers beside the operands: 16 of 32 with AVX-512, 12 of 16 with
// AVX2, where 8 would be just enough for two chains of additions that take four cycles each.
constexpr int kTileRows = kVectorBytes == 64 ? 8 : 6;
constexpr int kTileVectors = 2;
// Less work than this is done before another thread has begun.
constexpr std::int64_t kWorthThreads = 1 << 18;
// A panel stays in the innermost cache: 128 x 32 floats are 16 KB.
constexpr std::int64_t kPanelDepth = 128;

template <class T>
constexpr std::int64_t kOuts = kTileVectors* kElements<T>;

/// A part of W, rows [0, outs) and columns [0, depth), transposed into `panel`, [depth, kOuts];
/// rows that are not there are zero.
template <class T>
void fill_panel(Operand<T> w, std::int64_t outs, std::int64_t depth, T* panel) {
  for (int v = 0; v < kTileVectors; ++v) {
    const std::int64_t first = v * kElements<T>;
    const std::int64_t there = std::clamp<std::int64_t>(outs - first, 0, kElements<T>);
    for_each_vector<T>(depth, [&](std::int64_t l, const auto& part) {
      Vector<T> block[kElements<T>];
      for (int j = 0; j < kElements<T>; ++j) {
        block[j] = j < there ? part.load(w.data + (first + j) * w.stride + l) : Vector<T>{};
      }
      transpose<T>(block);
      for (std::int64_t i = 0; i < part.size(); ++i) {
        store(panel + (l + i) * kOuts<T> + first, block[i]);
      }
    });
  }
}

/// The elements of C that a tile writes: kTileVectors vectors of a row, `outs` elements of which
/// are there.
template <class T>
struct TileRow {
  T* data;
  std::int64_t outs;

  template <class Body>
  [[gnu::always_inline]] void for_each(const Body& body) const {
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; ++v) {
      const std::int64_t there = outs - v * kElements<T>;
      if (there >= kElements<T>) {
        body(v, WholeVector<T>{}, data + v * kElements<T>);
      } else if (there > 0) {
        body(v, PartialVector<T>{there}, data + v * kElements<T>);
      }
    }
  }
};

// A function of its own: inlined into a larger one, GCC 12 spills the sums inside the loop.
template <class T, int kRows>
[[gnu::noinline]] void multiply_tile(const T* panel, std::int64_t depth, Operand<T> a,
                                     std::int64_t outs, Product<T> c) {
  Vector<T> sums[kRows][kTileVectors] = {};
  if (c.add) {
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      TileRow<T>{c.data + i * c.stride, outs}.for_each(
          [&](int v, const auto& part, T* to) { sums[i][v] = part.load(to); });
    }
  }
  for (std::int64_t l = 0; l < depth; ++l) {
    Vector<T> weights[kTileVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; ++v) {
      weights[v] = load(panel + l * kOuts<T> + v * kElements<T>);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vector<T> x = broadcast(a.data[i * a.stride + l]);
#pragma GCC unroll 2
      for (int v = 0; v < kTileVectors; ++v) {
        sums[i][v] = multiply_add<T>(x, weights[v], sums[i][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    TileRow<T>{c.data + i * c.stride, outs}.for_each(
        [&](int v, const auto& part, T* to) { part.store(to, sums[i][v]); });
  }
}

/// multiply_tile() for a number of rows known at run time.
template <class T, int kRows = kTileRows>
void multiply_rows(std::int64_t rows, const T* panel, std::int64_t depth, Operand<T> a,
                   std::int64_t outs, Product<T> c) {
  if (rows == kRows) {
    multiply_tile<T, kRows>(panel, depth, a, outs, c);
  } else if constexpr (kRows > 1) {
    multiply_rows<T, kRows - 1>(rows, panel, depth, a, outs, c);
  }
}

/// All rows of A, in tiles of equal height: 4 + 3 rows hide the latency of additions, a single
/// row behind a full tile would not.
template <class T>
void multiply_panel(std::int64_t rows, const T* panel, std::int64_t depth, Operand<T> a,
                    std::int64_t outs, Product<T> c) {
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t height = (rows + tiles - 1) / tiles;
    multiply_rows<T>(height, panel, depth, a, outs, c);
    a.data += height * a.stride;
    c.data += height * c.stride;
    rows -= height;
  }
}

}  // namespace

// Panel after panel, each of all of W's columns.
template <class T>
const T* PreparedWeights::panels(const ProductShape& s, Operand<T> w) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<void>& memory = panels_[{w.data, s.n, s.k}];
  if (memory == nullptr) {
    const std::int64_t outs = (s.n + kOuts<T> - 1) / kOuts<T> * kOuts<T>;
    memory = allocate_zeros(static_cast<std::size_t>(outs * s.k) * sizeof(T));
    T* panel = static_cast<T*>(memory.get());
    for (std::int64_t out = 0; out < s.n; out += kOuts<T>, panel += kOuts<T> * s.k) {
      fill_panel<T>({w.data + out * w.stride, w.stride}, s.n - out, s.k, panel);
    }
  }
  return static_cast<const T*>(memory.get());
}

template <class T>
void row_invariant_product(const ProductShape& s, Operand<T> a, Operand<T> w, Product<T> c,
                           int threads, PreparedWeights* prepared) {
  const int useful = s.m * s.n * s.k < kWorthThreads ? 1 : threads;
  const T* const panels = prepared != nullptr ? prepared->panels(s, w) : nullptr;
  // For the panel of W's columns [l, l + depth) and outputs [out, end) of each thread.
  const auto multiply = [&](const T* panel, std::int64_t l, std::int64_t depth, std::int64_t out,
                            std::int64_t end) {
    multiply_panel<T>(s.m, panel, depth, {a.data + l, a.stride}, end - out,
                      {c.data + out, c.stride, c.add || l > 0});
  };
  parallel_for(useful, s.n, kOuts<T>, [&](std::int64_t out, std::int64_t end) {
    for (std::int64_t l = 0; l == 0 || l < s.k; l += kPanelDepth) {  // an empty sum is zero
      const std::int64_t depth = std::min(kPanelDepth, s.k - l);
      if (panels != nullptr) {
        multiply(panels + out * s.k + l * kOuts<T>, l, depth, out, end);
        continue;
      }
      alignas(kVectorBytes) T panel[kPanelDepth * kOuts<T>];
      fill_panel<T>({w.data + out * w.stride + l, w.stride}, end - out, depth, panel);
      multiply(panel, l, depth, out, end);
    }
  });
}

template void row_invariant_product(const ProductShape&, Operand<float>, Operand<float>,
                                    Product<float>, int, PreparedWeights*);
template void row_invariant_product(const ProductShape&, Operand<double>, Operand<double>,
                                    Product<double>, int, PreparedWeights*);

}  // namespace heddle::kernels
