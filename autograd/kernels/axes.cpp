#include "autograd/kernels/axes.h"

#include <algorithm>

#include "autograd/base/parallel.h"
#include "autograd/kernels/transpose.h"

namespace heddle::kernels {

namespace {

// Rows of x that are transposed together: a run of cache lines is written to each row of y. With 64
// rows 4096 x 512 floats take twice the time.
constexpr std::int64_t kPanel = 128;

// Vectors of a row that are transposed together where columns share cache sets: 4096 x 512 floats
// take 60 % of the time.
constexpr std::int64_t kWide = 4;

template <class T>
[[gnu::always_inline]] inline void copy_row(std::int64_t count, const T* from, T* to, bool add) {
  if (!add) {
    std::copy_n(from, count, to);
  } else {
    for_each_vector<T>(count, [=](std::int64_t i, const auto& part) {
      put(part, to + i, true, part.load(from + i));
    });
  }
}

// A matrix with rows apart by `stride` elements.
template <class T>
struct Strided {
  T* data;
  std::int64_t stride;

  T* at(std::int64_t row, std::int64_t column) const { return data + row * stride + column; }
};

// One square of kElements x kElements elements, through registers.
template <class T>
[[gnu::always_inline]] inline void transpose_square(const Strided<const T>& x, const Strided<T>& y,
                                                    std::int64_t i, std::int64_t j, bool add) {
  Vector<T> square[kElements<T>];
#pragma GCC unroll 16
  for (int r = 0; r < kElements<T>; ++r) square[r] = load(x.at(i + r, j));
  transpose<T>(square);
#pragma GCC unroll 16
  for (int r = 0; r < kElements<T>; ++r) {
    T* const to = y.at(j + r, i);
    store(to, add ? load(to) + square[r] : square[r]);
  }
}

// Whether elements of a column are in the same few sets of the first-level cache.
template <class T>
bool shares_cache_sets(const Strided<T>& matrix) {
  return matrix.stride * static_cast<std::int64_t>(sizeof(T)) % 4096 == 0;
}

// y = x^T for whole squares in the rows [begin, end) of x, by way of a buffer, so that runs of
// cache lines are read and written.
template <class T>
void transpose_strips(const Strided<const T>& x, const Strided<T>& y, std::int64_t begin,
                      std::int64_t end, std::int64_t columns, bool add) {
  constexpr std::int64_t side = kElements<T>;
  alignas(kVectorBytes) T strip[kWide * side * kPanel];  // rows of y, kPanel columns of each
  for (std::int64_t j = 0; j < columns; j += kWide * side) {
    const std::int64_t width = std::min(kWide * side, columns - j);
    for (std::int64_t i = 0; i < end - begin; i += side) {
      for (std::int64_t c = 0; c < width; c += side) {
        transpose_square<T>({x.at(begin, j), x.stride}, {strip, kPanel}, i, c, false);
      }
    }
    for (std::int64_t r = 0; r < width; ++r) {
      copy_row(end - begin, strip + r * kPanel, y.at(j + r, begin), add);
    }
  }
}

// y = x^T for the rows [begin, end) of x.
template <class T>
void transpose_panel(const Strided<const T>& x, const Strided<T>& y, std::int64_t begin,
                     std::int64_t end, std::int64_t columns, bool add) {
  constexpr std::int64_t side = kElements<T>;
  const std::int64_t whole_end = begin + (end - begin) / side * side;
  const std::int64_t whole_columns = columns / side * side;
  const auto one_by_one = [&](std::int64_t i, std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      T* const to = y.at(j, i);
      *to = add ? *to + *x.at(i, j) : *x.at(i, j);
    }
  };
  if (shares_cache_sets(x) || shares_cache_sets(y)) {
    transpose_strips(x, y, begin, whole_end, whole_columns, add);
  } else {
    for (std::int64_t j = 0; j < whole_columns; j += side) {
      for (std::int64_t i = begin; i < whole_end; i += side) transpose_square(x, y, i, j, add);
    }
  }
  for (std::int64_t i = begin; i < whole_end; ++i) one_by_one(i, whole_columns, columns);
  for (std::int64_t i = whole_end; i < end; ++i) one_by_one(i, 0, columns);
}

// The swap where the last axis moves: a batch of matrices [a, b] with rows middle * b apart.
template <class T>
void swap_last(const AxisPair& s, const T* x, GradientSink<T> y, int threads) {
  const std::int64_t panels = (s.a + kPanel - 1) / kPanel;
  const std::int64_t grain = grain_for(kPanel * s.b);
  parallel_for(threads, s.outer * s.middle * panels, grain,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t n = first; n < last; ++n) {
                   const std::int64_t begin = n % panels * kPanel;
                   const std::int64_t o = n / panels / s.middle;
                   const std::int64_t m = n / panels % s.middle;
                   const std::int64_t matrix = o * s.a * s.middle * s.b;
                   transpose_panel<T>({x + matrix + m * s.b, s.middle * s.b},
                                      {y.data + matrix + m * s.a, s.middle * s.a}, begin,
                                      std::min(begin + kPanel, s.a), s.b, y.add);
                 }
               });
}

// The range of a row that each thread takes where rows may be hit several times.
std::int64_t share_of(std::int64_t inner, int threads) {
  return threads <= 1 ? inner : (inner / threads + 16) / 16 * 16;
}

}  // namespace

template <class T>
void swap_axes(const AxisPair& shape, const T* x, GradientSink<T> y, int threads) {
  const AxisPair s = shape;
  if (s.inner == 1) return swap_last(s, x, y, threads);
  const std::int64_t rows = s.outer * s.b * s.middle;
  parallel_for(threads, rows, grain_for(s.a * s.inner), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t o = n / s.middle / s.b;
      const std::int64_t j = n / s.middle % s.b;
      const std::int64_t m = n % s.middle;
      for (std::int64_t i = 0; i < s.a; ++i) {
        const T* const from = x + (((o * s.a + i) * s.middle + m) * s.b + j) * s.inner;
        copy_row(s.inner, from, y.data + (n * s.a + i) * s.inner, y.add);
      }
    }
  });
}

template <class T>
void transpose_matrices(std::int64_t batch, std::int64_t rows, std::int64_t columns, const T* x,
                        GradientSink<T> y, int threads) {
  swap_last({batch, rows, 1, columns, 1}, x, y, threads);
}

template <class T>
void copy_range(std::int64_t outer, std::int64_t count, std::int64_t inner, const T* x,
                AxisRange from, GradientSink<T> y, AxisRange to, int threads) {
  const std::int64_t run = count * inner;
  // Blocks may begin and end within a run, so that one long run is shared as well.
  parallel_for(threads, outer * run, grain_for(1), [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t o = begin / run;
      const std::int64_t within = begin % run;
      const std::int64_t piece = std::min(run - within, end - begin);
      copy_row(piece, x + (o * from.length + from.begin) * inner + within,
               y.data + (o * to.length + to.begin) * inner + within, y.add);
      begin += piece;
    }
  });
}

template <class T>
void clear_outside(std::int64_t outer, std::int64_t count, std::int64_t inner, T* y, AxisRange to,
                   int threads) {
  const std::int64_t grain = grain_for(to.length * inner);
  parallel_for(threads, outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      T* const row = y + o * to.length * inner;
      std::fill(row, row + to.begin * inner, T{0});
      std::fill(row + (to.begin + count) * inner, row + to.length * inner, T{0});
    }
  });
}

template <class T>
void gather(const GatherShape& shape, const T* x, T* y, int threads) {
  const GatherShape s = shape;
  parallel_for(threads, s.outer * s.count, grain_for(s.inner),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t n = begin; n < end; ++n) {
                   const std::int64_t row = n / s.count * s.length + s.index[n % s.count];
                   copy_row(s.inner, x + row * s.inner, y + n * s.inner, false);
                 }
               });
}

template <class T>
void gather_backward(const GatherShape& shape, const T* dy, GradientSink<T> dx, int threads) {
  const GatherShape s = shape;
  // The columns [first, last) of one outer index. An element's sum is the same however they are
  // cut.
  const auto scatter = [&](std::int64_t o, std::int64_t first, std::int64_t last) {
    for (std::int64_t i = 0; i < s.length && !dx.add; ++i) {
      T* const row = dx.data + (o * s.length + i) * s.inner;
      std::fill(row + first, row + last, T{0});
    }
    for (std::int64_t k = 0; k < s.count; ++k) {
      copy_row(last - first, dy + (o * s.count + k) * s.inner + first,
               dx.data + (o * s.length + s.index[k]) * s.inner + first, true);
    }
  };
  if (s.outer >= threads) {
    parallel_for(threads, s.outer, grain_for(s.count * s.inner),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t o = begin; o < end; ++o) scatter(o, 0, s.inner);
                 });
    return;
  }
  parallel_for(threads, s.inner, share_of(s.inner, threads),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t o = 0; o < s.outer; ++o) scatter(o, first, last);
               });
}

template void swap_axes(const AxisPair&, const float*, GradientSink<float>, int);
template void swap_axes(const AxisPair&, const double*, GradientSink<double>, int);
template void transpose_matrices(std::int64_t, std::int64_t, std::int64_t, const float*,
                                 GradientSink<float>, int);
template void transpose_matrices(std::int64_t, std::int64_t, std::int64_t, const double*,
                                 GradientSink<double>, int);
template void copy_range(std::int64_t, std::int64_t, std::int64_t, const float*, AxisRange,
                         GradientSink<float>, AxisRange, int);
template void copy_range(std::int64_t, std::int64_t, std::int64_t, const double*, AxisRange,
                         GradientSink<double>, AxisRange, int);
template void clear_outside(std::int64_t, std::int64_t, std::int64_t, float*, AxisRange, int);
template void clear_outside(std::int64_t, std::int64_t, std::int64_t, double*, AxisRange, int);
template void gather(const GatherShape&, const float*, float*, int);
template void gather(const GatherShape&, const double*, double*, int);
template void gather_backward(const GatherShape&, const float*, GradientSink<float>, int);
template void gather_backward(const GatherShape&, const double*, GradientSink<double>, int);

}  // namespace heddle::kernels
