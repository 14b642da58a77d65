// Layer norm (Ba, Kiros and Hinton 2016, eq. 4) and RMS norm (Zhang and Sennrich 2019, eq. 4) over
// the rows of x [rows, columns]:
//
//   layer norm:  y = (x - mean(x)) * rstd * gain + bias    rstd = 1 / sqrt(variance(x) + eps)
//   RMS norm:    y = x * rstd * gain                       rstd = 1 / sqrt(mean(x^2) + eps)
//
// The variance is that of the row itself (divided by columns), taken in a second pass over the row
// around its mean. mean and rstd of each row are saved for backward. The functions of one row are
// here, in the header, because residual_norm puts its sums around them.
#pragma once

#include <cmath>
#include <cstdint>

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gradient_sink.h"
#include "autograd/kernels/rows.h"

namespace heddle::kernels {

enum class NormType : std::uint8_t { kLayerNorm, kRmsNorm };

template <class T>
struct Norm {
  NormType type = NormType::kLayerNorm;
  double eps = 1e-5;
  const T* gain = nullptr;  // [columns]
  const T* bias = nullptr;  // [columns]; RMS norm has none
};

/// What forward saves of every row and backward reads.
template <class T>
struct NormStatistics {
  T* mean = nullptr;  // [rows]; not used by RMS norm
  T* rstd = nullptr;  // [rows]
};

/// The gradients of the norm's parameters, and where their partial sums are kept.
template <class T>
struct NormGradients {
  GradientSink<T> gain;  // [columns]
  GradientSink<T> bias;  // [columns]; null for RMS norm
  T* scratch = nullptr;  // [norm_scratch(rows, columns)]
};

/// y = norm(x). x and y [rows, columns]; they may be the same.
template <class T>
void norm(const Norm<T>& norm, std::int64_t rows, std::int64_t columns, const T* x, T* y,
          NormStatistics<T> statistics, int threads);

/// Elements of scratch that the backward functions need. Rows are summed in blocks that depend on
/// the shape alone, the blocks then in order.
std::int64_t norm_scratch(std::int64_t rows, std::int64_t columns);

/// With xhat = (x - mean) * rstd and g = dy * gain, per row
///   layer norm:  dx = rstd * (g - mean(g) - xhat * mean(g * xhat))
///   RMS norm:    dx = rstd * (g - xhat * mean(g * xhat))
/// and over all rows dgain = sum(dy * xhat), dbias = sum(dy). dy, x, dx [rows, columns].
template <class T>
void norm_backward(const Norm<T>& norm, std::int64_t rows, std::int64_t columns, const T* dy,
                   const T* x, NormStatistics<T> statistics, GradientSink<T> dx,
                   const NormGradients<T>& gradients, int threads);

/// Rows whose parameter gradients are summed in one partial sum; a multiple of kDropoutRows.
inline constexpr std::int64_t kNormBlock = 128;

/// Adds up the partial sums [blocks, 2, columns] (gain, bias) of all blocks of rows.
template <class T>
void sum_norm_blocks(std::int64_t rows, std::int64_t columns, const NormGradients<T>& gradients);

/// Rows that are normalised together, so that the latencies of their sums overlap.
inline constexpr std::int64_t kNormRows = 8;

/// Up to kNormRows rows forward: y = norm(x), statistics saved where asked for. `row` is the index
/// of the first of them, to which x and y point.
template <NormType type, class T>
[[gnu::always_inline]] inline void norm_rows(const Norm<T>& norm, std::int64_t rows,
                                             std::int64_t columns, const T* x, T* y,
                                             NormStatistics<T> statistics, std::int64_t row) {
  const T* const gain = norm.gain;
  const T* const bias = norm.bias;
  constexpr bool layer_norm = type == NormType::kLayerNorm;
  const T share = T{1} / static_cast<T>(columns);
  T means[kNormRows] = {};
  T rstds[kNormRows];
  for (std::int64_t r = 0; r < rows && layer_norm; ++r) {
    means[r] = share * sum_along<T>(columns, [from = x + r * columns](auto i, const auto& part) {
                 return part.load(from + i);
               });
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const T squares =
        sum_along<T>(columns, [from = x + r * columns, mean = means[r]](auto i, const auto& part) {
          const Vector<T> centred = part.load(from + i) - mean;
          return centred * centred;
        });
    rstds[r] = T{1} / std::sqrt(share * squares + static_cast<T>(norm.eps));
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const T mean = means[r];
    const T rstd = rstds[r];
    if (statistics.mean != nullptr && layer_norm) statistics.mean[row + r] = mean;
    if (statistics.rstd != nullptr) statistics.rstd[row + r] = rstd;
    for_each_vector<T>(columns, [&, from = x + r * columns, to = y + r * columns](
                                    std::int64_t i, const auto& part) {
      const Vector<T> xhat = (part.load(from + i) - mean) * rstd;
      Vector<T> value = xhat * part.load(gain + i);
      if constexpr (layer_norm) value += part.load(bias + i);
      part.store(to + i, value);
      __builtin_prefetch(from + i + rows * columns);  // the next rows
    });
  }
}

/// What backward needs to know of a row besides its elements.
template <class T>
struct RowGradient {
  T mean, rstd;       // of x
  T mean_g, mean_gx;  // of g and of g * xhat
};

/// One row backward, first pass: the means, and the row added to the partial sums [2, columns] of
/// dgain and dbias.
template <NormType type, class T>
[[gnu::always_inline]] inline RowGradient<T> norm_row_means(const Norm<T>& norm,
                                                            std::int64_t columns, const T* dy,
                                                            const T* x,
                                                            NormStatistics<T> statistics,
                                                            std::int64_t row, T* partial) {
  constexpr bool layer_norm = type == NormType::kLayerNorm;
  const T mean = layer_norm ? statistics.mean[row] : T{0};
  const T rstd = statistics.rstd[row];
  Vector<T> sum_g{}, sum_gx{};
  const T* const gain = norm.gain;
  T* const dbias = partial + columns;
  for_each_vector<T>(columns, [&](std::int64_t i, const auto& part) {
    const Vector<T> upstream = part.load(dy + i);
    const Vector<T> xhat = (part.load(x + i, mean) - mean) * rstd;
    const Vector<T> g = upstream * part.load(gain + i);
    put(part, partial + i, true, upstream * xhat);
    if constexpr (layer_norm) put(part, dbias + i, true, upstream);
    if constexpr (layer_norm) sum_g += g;
    sum_gx += g * xhat;
  });
  const T share = T{1} / static_cast<T>(columns);
  return {mean, rstd, sum_of_elements<T>(sum_g) * share, sum_of_elements<T>(sum_gx) * share};
}

/// One row backward, second pass: calls emit(i, part, dx) for `count` columns of the row, to whose
/// first gain, dy and x point.
template <class T, class Emit>
[[gnu::always_inline]] inline void norm_row_backward(const RowGradient<T>& row, std::int64_t count,
                                                     const T* gain, const T* dy, const T* x,
                                                     const Emit& emit) {
  for_each_vector<T>(count, [&](std::int64_t i, const auto& part) {
    const Vector<T> xhat = (part.load(x + i) - row.mean) * row.rstd;
    const Vector<T> g = part.load(dy + i) * part.load(gain + i);
    emit(i, part, row.rstd * (g - row.mean_g - xhat * row.mean_gx));
  });
}

/// Calls body(type) with the norm's type as a compile-time constant.
template <class Body>
void with_norm_type(NormType type, const Body& body) {
  if (type == NormType::kLayerNorm) {
    body(std::integral_constant<NormType, NormType::kLayerNorm>{});
  } else {
    body(std::integral_constant<NormType, NormType::kRmsNorm>{});
  }
}

}  // namespace heddle::kernels
