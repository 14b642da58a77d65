#include "autograd/kernels/norm.h"

#include <algorithm>

#include "autograd/base/parallel.h"

namespace heddle::kernels {

template <class T>
void norm(const Norm<T>& norm, std::int64_t rows, std::int64_t columns, const T* x, T* y,
          NormStatistics<T> statistics, int threads) {
  with_norm_type(norm.type, [&](auto type) {
    parallel_for(threads, rows, kNormBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; r += kNormRows) {
        norm_rows<type.value>(norm, std::min(kNormRows, end - r), columns, x + r * columns,
                              y + r * columns, statistics, r);
      }
    });
  });
}

std::int64_t norm_scratch(std::int64_t rows, std::int64_t columns) {
  return (rows + kNormBlock - 1) / kNormBlock * 2 * columns;
}

template <class T>
void sum_norm_blocks(std::int64_t rows, std::int64_t columns, const NormGradients<T>& gradients) {
  T* const total = gradients.scratch;  // of both gradients, gathered in the first block's sums
  const T* const end = total + norm_scratch(rows, columns);
  for (const T* block = total + 2 * columns; block < end; block += 2 * columns) {
    for_each_vector<T>(2 * columns, [=](auto i, const auto& part) {
      put(part, total + i, true, part.load(block + i));
    });
  }
  const auto deliver = [&](const GradientSink<T>& sink, const T* sum) {
    if (!sink) return;
    for_each_vector<T>(columns, [=](auto i, const auto& part) {
      put(part, sink.data + i, sink.add, part.load(sum + i));
    });
  };
  deliver(gradients.gain, total);
  deliver(gradients.bias, total + columns);
}

template <class T>
void norm_backward(const Norm<T>& norm, std::int64_t rows, std::int64_t columns, const T* dy,
                   const T* x, NormStatistics<T> statistics, GradientSink<T> dx,
                   const NormGradients<T>& gradients, int threads) {
  with_norm_type(norm.type, [&](auto type) {
    parallel_for(threads, rows, kNormBlock, [&](std::int64_t begin, std::int64_t end) {
      T* const partial = gradients.scratch + begin / kNormBlock * 2 * columns;
      std::fill_n(partial, 2 * columns, T{0});
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int64_t row = r * columns;
        const RowGradient<T> of =
            norm_row_means<type.value>(norm, columns, dy + row, x + row, statistics, r, partial);
        if (!dx) continue;
        norm_row_backward(of, columns, norm.gain, dy + row, x + row,
                          [to = dx.data + row, add = dx.add](auto i, const auto& part, auto value) {
                            put(part, to + i, add, value);
                          });
      }
    });
  });
  sum_norm_blocks(rows, columns, gradients);
}

template void norm(const Norm<float>&, std::int64_t, std::int64_t, const float*, float*,
                   NormStatistics<float>, int);
template void norm(const Norm<double>&, std::int64_t, std::int64_t, const double*, double*,
                   NormStatistics<double>, int);
template void norm_backward(const Norm<float>&, std::int64_t, std::int64_t, const float*,
                            const float*, NormStatistics<float>, GradientSink<float>,
                            const NormGradients<float>&, int);
template void norm_backward(const Norm<double>&, std::int64_t, std::int64_t, const double*,
                            const double*, NormStatistics<double>, GradientSink<double>,
                            const NormGradients<double>&, int);
template void sum_norm_blocks(std::int64_t, std::int64_t, const NormGradients<float>&);
template void sum_norm_blocks(std::int64_t, std::int64_t, const NormGradients<double>&);

}  // namespace heddle::kernels
