#include "autograd/kernels/residual_norm.h"

#include <algorithm>

#include "autograd/kernels/dropout_tile.h"

namespace heddle::kernels {

namespace {

// One row, or a part of it: its gradient d goes to x as it is and to delta through the mask.
template <class T>
class ResidualRow {
 public:
  ResidualRow(const ResidualGradients<T>& sinks, std::int64_t offset, const KeptBits& kept,
              double scale)
      : dx_(sinks.x ? sinks.x.data + offset : nullptr),
        ddelta_(sinks.delta ? sinks.delta.data + offset : nullptr),
        add_x_(sinks.x.add),
        add_delta_(sinks.delta.add),
        kept_(kept),
        scale_(static_cast<T>(scale)) {}

  template <class Part>
  [[gnu::always_inline]] void operator()(std::int64_t i, const Part& part, Vector<T> d) const {
    if (dx_ != nullptr) put(part, dx_ + i, add_x_, d);
    if (ddelta_ != nullptr) {
      put(part, ddelta_ + i, add_delta_, kept_.only<T>(i, d * scale_));
    }
  }

 private:
  T* dx_;
  T* ddelta_;
  bool add_x_, add_delta_;
  KeptBits kept_;
  T scale_;
};

// sum = x + mask * scale * delta for the rows of a tile.
template <class T>
[[gnu::always_inline]] inline void add_tile(const DropoutTile& tile, std::int64_t columns, T scale,
                                            const T* x, const T* delta, T* sum) {
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const std::int64_t offset = (tile.row + r) * columns + tile.column;
    for_each_vector<T>(tile.columns, [=, kept = tile.kept(r)](auto i, const auto& part) {
      const std::int64_t at = offset + i;
      const Vector<T> added = kept.template only<T>(i, part.load(delta + at) * scale);
      part.store(sum + at, part.load(x + at) + added);
    });
  }
}

}  // namespace

template <class T>
void residual_add(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
                  const T* delta, T* sum, int threads) {
  const T scale = static_cast<T>(dropout.scale);
  parallel_for(threads, rows, dropout_grain(columns), [&](std::int64_t begin, std::int64_t end) {
    for_each_dropout_tile(dropout, begin, end, 0, columns, [&](const DropoutTile& tile) {
      add_tile(tile, columns, scale, x, delta, sum);
    });
  });
}

template <class T>
void residual_add_backward(const Dropout& dropout, std::int64_t rows, std::int64_t columns,
                           const T* dsum, const ResidualGradients<T>& sinks, int threads) {
  parallel_for(threads, rows, dropout_grain(columns), [&](std::int64_t begin, std::int64_t end) {
    for_each_dropout_tile(dropout, begin, end, 0, columns, [&](const DropoutTile& tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const std::int64_t offset = (tile.row + r) * columns + tile.column;
        const ResidualRow<T> emit(sinks, offset, tile.kept(r), dropout.scale);
        for_each_vector<T>(tile.columns, [&](std::int64_t i, const auto& part) {
          emit(i, part, part.load(dsum + offset + i));
        });
      }
    });
  });
}

template <class T>
void residual_norm(const Norm<T>& norm, const Dropout& dropout, std::int64_t rows,
                   std::int64_t columns, const T* x, const T* delta, T* sum, T* y,
                   NormStatistics<T> statistics, int threads) {
  const T scale = static_cast<T>(dropout.scale);
  with_norm_type(norm.type, [&](auto type) {
    parallel_for(threads, rows, dropout_grain(columns), [&](std::int64_t begin, std::int64_t end) {
      for_each_dropout_tile(dropout, begin, end, 0, columns, [&](const DropoutTile& tile) {
        add_tile(tile, columns, scale, x, delta, sum);
        if (tile.column + tile.columns < columns) return;
        const std::int64_t start = tile.row * columns;
        norm_rows<type.value>(norm, tile.rows, columns, sum + start, y + start, statistics,
                              tile.row);
      });
    });
  });
}

template <class T>
void residual_norm_backward(const Norm<T>& norm, const Dropout& dropout, std::int64_t rows,
                            std::int64_t columns, const ResidualNormUpstream<T>& upstream,
                            const T* sum, NormStatistics<T> statistics,
                            const ResidualGradients<T>& sinks, const NormGradients<T>& gradients,
                            int threads) {
  const T* const dy = upstream.dy;
  const T* const dsum = upstream.dsum;
  if (dy == nullptr) {
    residual_add_backward(dropout, rows, columns, dsum, sinks, threads);
    std::fill_n(gradients.scratch, norm_scratch(rows, columns), T{0});
    return sum_norm_blocks(rows, columns, gradients);
  }
  // Rows whose means are taken before the first gradient is written: their sums overlap, where a
  // group of rows stays in the first-level cache (17 % at 128 columns; at 512 a loss of 30 %).
  const std::int64_t together = columns <= 256 ? kDropoutRows : 1;
  with_norm_type(norm.type, [&](auto type) {
    parallel_for(threads, rows, kNormBlock, [&](std::int64_t begin, std::int64_t end) {
      T* const partial = gradients.scratch + begin / kNormBlock * 2 * columns;
      std::fill_n(partial, 2 * columns, T{0});
      RowGradient<T> of[kDropoutRows];
      const auto take_means = [&](const DropoutTile& tile, std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r) {
          const std::int64_t row = (tile.row + r) * columns;
          of[r] = norm_row_means<type.value>(norm, columns, dy + row, sum + row, statistics,
                                             tile.row + r, partial);
        }
      };
      const auto write = [&](const DropoutTile& tile, std::int64_t r) {
        const std::int64_t offset = (tile.row + r) * columns + tile.column;
        const ResidualRow<T> emit(sinks, offset, tile.kept(r), dropout.scale);
        norm_row_backward(of[r], tile.columns, norm.gain + tile.column, dy + offset, sum + offset,
                          [&](std::int64_t i, const auto& part, Vector<T> d) {
                            emit(i, part, dsum == nullptr ? d : d + part.load(dsum + offset + i));
                          });
      };
      for_each_dropout_tile(dropout, begin, end, 0, columns, [&](const DropoutTile& tile) {
        for (std::int64_t first = 0; first < tile.rows; first += together) {
          const std::int64_t last = std::min(first + together, tile.rows);
          if (tile.column == 0) take_means(tile, first, last);
          for (std::int64_t r = first; r < last; ++r) write(tile, r);
        }
      });
    });
  });
  sum_norm_blocks(rows, columns, gradients);
}

template void residual_add(const Dropout&, std::int64_t, std::int64_t, const float*, const float*,
                           float*, int);
template void residual_add(const Dropout&, std::int64_t, std::int64_t, const double*, const double*,
                           double*, int);
template void residual_add_backward(const Dropout&, std::int64_t, std::int64_t, const float*,
                                    const ResidualGradients<float>&, int);
template void residual_add_backward(const Dropout&, std::int64_t, std::int64_t, const double*,
                                    const ResidualGradients<double>&, int);
template void residual_norm(const Norm<float>&, const Dropout&, std::int64_t, std::int64_t,
                            const float*, const float*, float*, float*, NormStatistics<float>, int);
template void residual_norm(const Norm<double>&, const Dropout&, std::int64_t, std::int64_t,
                            const double*, const double*, double*, double*, NormStatistics<double>,
                            int);
template void residual_norm_backward(const Norm<float>&, const Dropout&, std::int64_t, std::int64_t,
                                     const ResidualNormUpstream<float>&, const float*,
                                     NormStatistics<float>, const ResidualGradients<float>&,
                                     const NormGradients<float>&, int);
template void residual_norm_backward(const Norm<double>&, const Dropout&, std::int64_t,
                                     std::int64_t, const ResidualNormUpstream<double>&,
                                     const double*, NormStatistics<double>,
                                     const ResidualGradients<double>&, const NormGradients<double>&,
                                     int);

}  // namespace heddle::kernels
