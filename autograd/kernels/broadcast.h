// How tensors of different shapes meet in one loop.
//
// Shapes are aligned at their last dimension; a size of 1, or a missing dimension, stretches
// (stride 0). Neighbouring dimensions that every tensor walks through alike are merged, so that a
// row vector added to a matrix is two dimensions, tensors of one shape are one. The innermost
// dimension then has stride 1 or 0 in every tensor.
#pragma once

#include <array>
#include <cstdint>

#include "autograd/base/parallel.h"
#include "autograd/base/shape.h"
#include "autograd/kernels/pointwise.h"
#include "autograd/kernels/rows.h"

namespace heddle::kernels {

/// One offset for each of kTensors tensors.
template <std::size_t kTensors>
using Offsets = std::array<std::int64_t, kTensors>;

/// Sizes and strides of a loop over several dimensions, innermost first.
template <std::size_t kTensors>
struct Loop {
  int rank = 0;
  std::array<std::int64_t, Shape::kMaxRank> size{};
  std::array<Offsets<kTensors>, Shape::kMaxRank> stride{};

  void add(std::int64_t extent, const Offsets<kTensors>& strides) {
    size[static_cast<std::size_t>(rank)] = extent;
    stride[static_cast<std::size_t>(rank++)] = strides;
  }
  std::int64_t count() const {
    std::int64_t product = 1;
    for (int d = 0; d < rank; ++d) product *= size[static_cast<std::size_t>(d)];
    return product;
  }
  /// `start` plus where step `index` of the loop is in every tensor.
  Offsets<kTensors> offsets(std::int64_t index, Offsets<kTensors> start) const {
    for (int d = 0; d < rank; ++d) {
      const auto at = static_cast<std::size_t>(d);
      const bool last = d + 1 == rank;
      const std::int64_t place = last ? index : index % size[at];
      if (!last) index /= size[at];
      for (std::size_t k = 0; k < kTensors; ++k) start[k] += place * stride[at][k];
    }
    return start;
  }
};

/// A loop over all elements of tensor 0, cut into its innermost dimension and the others.
template <std::size_t kTensors>
struct BroadcastLoop {
  std::int64_t columns = 1;  // the innermost dimension
  Offsets<kTensors> step{};  // its strides: 0 or 1
  Loop<kTensors> rows;

  /// shapes[0] is the shape that the others broadcast to.
  explicit BroadcastLoop(const std::array<Shape, kTensors>& shapes);
};

template <std::size_t kTensors>
BroadcastLoop<kTensors>::BroadcastLoop(const std::array<Shape, kTensors>& shapes) {
  Offsets<kTensors> elements;  // of the dimensions inside the one looked at
  elements.fill(1);
  Loop<kTensors> merged;
  for (int back = 1; back <= shapes[0].rank(); ++back) {
    const std::int64_t size = shapes[0][shapes[0].rank() - back];
    Offsets<kTensors> stride{};
    for (std::size_t k = 0; k < kTensors; ++k) {
      const Shape& shape = shapes[k];
      const std::int64_t own = back <= shape.rank() ? shape[shape.rank() - back] : 1;
      if (own != 1) stride[k] = elements[k];
      elements[k] *= own;
    }
    if (size == 1) continue;
    bool merges = merged.rank > 0;
    const auto inner = static_cast<std::size_t>(merged.rank - (merges ? 1 : 0));
    for (std::size_t k = 0; k < kTensors; ++k) {
      merges = merges && stride[k] == merged.stride[inner][k] * merged.size[inner];
    }
    if (merges) {
      merged.size[inner] *= size;
    } else {
      merged.add(size, stride);
    }
  }
  if (merged.rank == 0) return;
  columns = merged.size[0];
  step = merged.stride[0];
  for (std::size_t d = 1; d < static_cast<std::size_t>(merged.rank); ++d) {
    rows.add(merged.size[d], merged.stride[d]);
  }
}

/// One vector of a tensor whose innermost stride is `step`.
template <class T, class Part>
[[gnu::always_inline]] inline Vector<T> load_stretched(const T* row, std::int64_t step,
                                                       std::int64_t i, const Part& part) {
  return step == 0 ? broadcast(*row) : part.load(row + i);
}

/// Calls body(offsets, n) for rows, or pieces of rows, that cover the loop.
template <std::size_t kTensors, class Body>
void for_each_piece(const BroadcastLoop<kTensors>& loop, int threads, const Body& body) {
  if (loop.rows.rank == 0) {
    parallel_for(threads, loop.columns, kPointwiseGrain, [&](std::int64_t begin, std::int64_t end) {
      Offsets<kTensors> offsets{};
      for (std::size_t k = 0; k < kTensors; ++k) offsets[k] = begin * loop.step[k];
      body(offsets, end - begin);
    });
    return;
  }
  parallel_for(threads, loop.rows.count(), grain_for(loop.columns),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   body(loop.rows.offsets(row, {}), loop.columns);
                 }
               });
}

/// The sum of term(i, part) over a row of n, in pieces that stay accurate.
template <class T, class Term>
double sum_of_row(std::int64_t n, const Term& term) {
  double total = 0.0;
  for (std::int64_t begin = 0; begin < n; begin += kPointwiseGrain) {
    total += sum_along<T>(std::min(kPointwiseGrain, n - begin),
                          [&](std::int64_t i, const auto& part) { return term(begin + i, part); });
  }
  return total;
}

/// The gradient of tensor `k`: sink (+)= the sum of terms(offsets)(i, part) over all elements
/// of tensor 0 that tensor k was stretched over. `offsets` are those of a row, i is the place in
/// it. The order of the sum depends on the shapes alone.
template <class T, std::size_t kTensors, class Terms>
void reduce_to(const BroadcastLoop<kTensors>& loop, std::size_t k, GradientSink<T> sink,
               int threads, const Terms& terms) {
  if (!sink) return;
  Loop<kTensors> kept;
  Loop<kTensors> summed;
  for (std::size_t d = 0; d < static_cast<std::size_t>(loop.rows.rank); ++d) {
    (loop.rows.stride[d][k] == 0 ? summed : kept).add(loop.rows.size[d], loop.rows.stride[d]);
  }
  if (loop.columns > 1 && loop.step[k] == 0) {
    parallel_for(threads, kept.count(), grain_for(summed.count() * loop.columns),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t place = begin; place < end; ++place) {
                     const Offsets<kTensors> start = kept.offsets(place, {});
                     double total = 0.0;
                     for (std::int64_t row = 0; row < summed.count(); ++row) {
                       total += sum_of_row<T>(loop.columns, terms(summed.offsets(row, start)));
                     }
                     put(sink, start[k], static_cast<T>(total));
                   }
                 });
    return;
  }
  if (summed.rank == 0) {
    for_each_piece(loop, threads, [&](const Offsets<kTensors>& offsets, std::int64_t n) {
      T* const row = sink.data + offsets[k];
      const auto term = terms(offsets);
      for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
        const Vector<T> value = term(i, part);
        part.store(row + i, sink.add ? part.load(row + i) + value : value);
      });
    });
    return;
  }
  for (std::int64_t place = 0; place < kept.count(); ++place) {
    const Offsets<kTensors> start = kept.offsets(place, {});
    sum_down<T>(summed.count(), loop.columns, T{1}, {sink.data + start[k], sink.add}, threads,
                [&](std::int64_t row) { return terms(summed.offsets(row, start)); });
  }
}

}  // namespace heddle::kernels
