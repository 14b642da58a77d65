// Loops of the reductions: along a contiguous row, along an axis with a stride, down the columns of
// a matrix. Each adds in an order that depends on the shape alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "autograd/base/parallel.h"
#include "autograd/base/shape.h"
#include "autograd/kernels/gradient_sink.h"
#include "autograd/kernels/vector_math.h"

namespace heddle::kernels {

/// The sum of term(i, part) over the vectors of [0, n), in four accumulators.
template <class T, class Term>
[[gnu::always_inline]] inline T sum_along(std::int64_t n, const Term& term) {
  constexpr std::int64_t kStep = kElements<T>;
  Vector<T> sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kStep <= n; i += 4 * kStep) {
    sums[0] += term(i, WholeVector<T>{});
    sums[1] += term(i + kStep, WholeVector<T>{});
    sums[2] += term(i + 2 * kStep, WholeVector<T>{});
    sums[3] += term(i + 3 * kStep, WholeVector<T>{});
  }
  for (; i + kStep <= n; i += kStep) sums[0] += term(i, WholeVector<T>{});
  if (i < n) sums[1] += PartialVector<T>{n - i}.only(term(i, PartialVector<T>{n - i}));
  return sum_of_elements<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// What an element that does not exist holds where the largest is sought; exp of it is 0.
template <class T>
inline constexpr T kLowest = -std::numeric_limits<T>::infinity();

/// The larger of each pair of elements; NaN where either is NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> larger_or_nan(Vector<T> a, Vector<T> b) {
  return a == a ? larger_of<T>(a, b) : a;
}

/// combine(...) of a row of n >= 1 numbers and -infinity: for larger_of and larger_or_nan.
template <class T, class Combine>
[[gnu::always_inline]] inline T largest_along(std::int64_t n, const T* x, const Combine& combine) {
  constexpr std::int64_t kStep = kElements<T>;
  Vector<T> top[4];
  for (Vector<T>& v : top) v = broadcast(kLowest<T>);
  std::int64_t i = 0;
  for (; i + 4 * kStep <= n; i += 4 * kStep) {
    top[0] = combine(top[0], load(x + i));
    top[1] = combine(top[1], load(x + i + kStep));
    top[2] = combine(top[2], load(x + i + 2 * kStep));
    top[3] = combine(top[3], load(x + i + 3 * kStep));
  }
  for (; i + kStep <= n; i += kStep) top[0] = combine(top[0], load(x + i));
  if (i < n) top[1] = combine(top[1], load_part(x + i, n - i, kLowest<T>));
  return fold_elements<T>(combine(combine(top[0], top[1]), combine(top[2], top[3])), combine);
}

/// The largest of a row; where one is NaN the result is any of them.
template <class T>
[[gnu::always_inline]] inline T max_along(std::int64_t n, const T* x) {
  return largest_along(n, x, [](Vector<T> a, Vector<T> b) { return larger_of<T>(a, b); });
}

/// The sum of exp(x - shift) over a row.
template <class T>
[[gnu::always_inline]] inline T exp_sum_along(std::int64_t n, const T* x, T shift) {
  return sum_along<T>(
      n, [&](std::int64_t i, const auto& part)
             __attribute__((always_inline)) { return exp<T>(part.load(x + i) - shift); });
}

/// Rows of a block that stays in the nearest cache while several passes go over it. Passes over
/// blocks, not rows, so that a row does not wait for the sum over its own elements.
inline constexpr int kMostRows = 16;
inline std::int64_t rows_of_block(std::int64_t length) {
  return std::clamp<std::int64_t>(4096 / std::max<std::int64_t>(length, 1), 1, kMostRows);
}

/// Calls body(row) for the rows 0 to outer - 1 of [outer, length].
template <class Body>
void for_each_row(const AxisShape& shape, int threads, const Body& body) {
  parallel_for(threads, shape.outer, grain_for(shape.length),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) body(row);
               });
}

/// Calls body(first, rows) for blocks of rows_of_block(length) rows.
template <class Body>
void for_each_row_block(const AxisShape& shape, int threads, const Body& body) {
  const std::int64_t most = rows_of_block(shape.length);
  const std::int64_t grain = std::max(grain_for(shape.length) / most, std::int64_t{1}) * most;
  parallel_for(threads, shape.outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; row += most) body(row, std::min(most, end - row));
  });
}

/// Calls body(first, result, part) for every vector of neighbours in `inner`: their elements on
/// the axis are at first + j * inner, and what they reduce to is at `result` of [outer, inner].
template <class T, class Body>
void for_each_strip(const AxisShape& shape, int threads, const Body& body) {
  const std::int64_t strips = (shape.inner + kElements<T> - 1) / kElements<T>;
  parallel_for(threads, shape.outer * strips, grain_for(shape.length * kElements<T>),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t item = begin; item < end; ++item) {
                   const std::int64_t outer = item / strips;
                   const std::int64_t column = item % strips * kElements<T>;
                   const std::int64_t first = outer * shape.length * shape.inner + column;
                   const std::int64_t result = outer * shape.inner + column;
                   if (column + kElements<T> <= shape.inner) {
                     body(first, result, WholeVector<T>{});
                   } else {
                     body(first, result, PartialVector<T>{shape.inner - column});
                   }
                 }
               });
}

/// Columns that one thread sums at a time; their partial sums stay in the nearest cache.
template <class T>
inline constexpr std::int64_t kPanel = 64 * kElements<T>;

/// Rows that are prepared together: they stay in the nearest cache.
inline constexpr std::int64_t kRowGroup = 8;

/// Writes into `sums` [columns] what terms(row)(column, part) gives, added over all rows, times
/// `factor`. Before the terms of rows row to row + count - 1 (at most kRowGroup) and of columns
/// begin to end - 1 are asked for, prepare(row, count, begin, end) is called. `sums` may be
/// unwanted.
template <class T, class Terms, class Prepare>
void sum_down(std::int64_t rows, std::int64_t columns, T factor, GradientSink<T> sums, int threads,
              const Terms& terms, const Prepare& prepare) {
  parallel_for(threads, columns, kPanel<T>, [&](std::int64_t begin, std::int64_t end) {
    alignas(kVectorBytes) T partial[kPanel<T>] = {};
    for (std::int64_t row = 0; row < rows; row += kRowGroup) {
      const std::int64_t count = std::min(kRowGroup, rows - row);
      prepare(row, count, begin, end);
      // Two rows at a time: more streams than that, and the processor stops reading ahead.
      for (std::int64_t r = row; r < row + count; r += 2) {
        const bool pair = r + 1 < row + count;
        const auto first = terms(r);
        const auto second = terms(pair ? r + 1 : r);
        for_each_vector<T>(end - begin, [&](std::int64_t i, const auto& part) {
          Vector<T> total = first(begin + i, part);
          if (pair) total += second(begin + i, part);
          store(partial + i, load(partial + i) + total);
        });
      }
    }
    if (!sums) return;
    for_each_vector<T>(end - begin, [&](std::int64_t i, const auto& part) {
      T* const to = sums.data + begin + i;
      const Vector<T> value = load(partial + i) * factor;
      part.store(to, sums.add ? part.load(to) + value : value);
    });
  });
}

template <class T, class Terms>
void sum_down(std::int64_t rows, std::int64_t columns, T factor, GradientSink<T> sums, int threads,
              const Terms& terms) {
  sum_down(rows, columns, factor, sums, threads, terms,
           [](std::int64_t, std::int64_t, std::int64_t, std::int64_t) {});
}

/// For sum_down: the elements of x [rows, columns] themselves.
template <class T>
auto rows_of(const T* x, std::int64_t columns) {
  return [=](std::int64_t row) {
    return [source = x + row * columns](std::int64_t column, const auto& part) {
      return part.load(source + column);
    };
  };
}

}  // namespace heddle::kernels
