#include "autograd/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/reduction.h"
#include "autograd/kernels/row_invariant_product.h"
#include "autograd/kernels/softmax.h"

namespace heddle::kernels {

namespace {

// A chunk reads all weights twice and adds to all their gradients, so it needs many rows to be
// worth that: more than it would have if its logits were to stay in a cache (docs/performance.md).
constexpr std::int64_t kChunkBytes = std::int64_t{32} << 20;  // of logits
constexpr std::int64_t kFewestRows = 16;
constexpr std::int64_t kMostRows = 512;

template <class T>
std::int64_t rows_of_chunk(std::int64_t classes) {
  const std::int64_t rows = kChunkBytes / (classes * static_cast<std::int64_t>(sizeof(T)));
  return std::clamp(rows / kFewestRows * kFewestRows, kFewestRows, kMostRows);
}

// Logits of one row -> its loss; in place, where `gradient`, -> the gradient of the logits.
template <class T>
double finish_row(const CrossEntropyInput<T>& in, std::int64_t row, T* logits, bool gradient) {
  const std::int64_t classes = in.classes;
  const std::int32_t target = in.targets[row];
  const double weight = in.row_weights[row];
  const double spread = in.smoothing / static_cast<double>(classes);
  if (in.bias != nullptr) {
    for (std::int64_t j = 0; j < classes; ++j) logits[j] += in.bias[j];
  }
  const double sum_of_logits = in.smoothing > 0.0 ? row_sum(classes, logits) : 0.0;
  const double target_logit = logits[target];
  const auto [largest, sum] = exp_shifted(classes, logits);
  const double logsumexp = static_cast<double>(largest) + std::log(static_cast<double>(sum));
  if (gradient) {
    const T factor = static_cast<T>(weight / static_cast<double>(sum));
    const T everywhere = static_cast<T>(weight * spread);
    for (std::int64_t j = 0; j < classes; ++j) logits[j] = logits[j] * factor - everywhere;
    logits[target] -= static_cast<T>(weight * (1.0 - in.smoothing));
  }
  return weight * (logsumexp - (1.0 - in.smoothing) * target_logit - spread * sum_of_logits);
}

// Adds the columns of [rows, columns] into `sums`.
template <class T>
void add_columns(std::int64_t rows, std::int64_t columns, const T* values, T* sums, int threads) {
  parallel_for(threads, columns, 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = begin; j < end; ++j) sums[j] += values[i * columns + j];
    }
  });
}

// What a gradient holds before the first chunk is added: all of it where chunks only add, else the
// rows that no class reaches.
template <class T>
void prepare(GradientSink<T> sink, std::int64_t begin, std::int64_t end) {
  if (sink && !sink.add) std::fill(sink.data + begin, sink.data + end, T{0});
}

}  // namespace

template <class T>
double cross_entropy(const CrossEntropyInput<T>& in, const CrossEntropyGradients<T>& gradients,
                     Arena& scratch, int threads) {
  const bool backward = gradients.wanted();
  const std::int64_t chunk = std::min(in.rows, rows_of_chunk<T>(in.classes));
  const ArenaScope scope(scratch);
  T* const logits = scratch.allocate<T>(chunk * in.classes);
  double* const losses = scratch.allocate<double>(chunk);
  prepare(gradients.bias, 0, in.vocabulary);
  prepare(gradients.weight, in.classes * in.columns, in.vocabulary * in.columns);

  double loss = 0.0;
  for (std::int64_t begin = 0; begin < in.rows; begin += chunk) {
    const std::int64_t rows = std::min(chunk, in.rows - begin);
    const T* const x = in.x + begin * in.columns;
    const ProductShape projection{rows, in.classes, in.columns};
    const Operand<T> weight{in.weight, in.columns, true};
    if (backward) {
      gemm<T>(projection, {x, in.columns}, weight, {logits, in.classes}, scratch, threads);
    } else {
      row_invariant_product<T>(projection, {x, in.columns}, weight, {logits, in.classes}, threads);
    }
    parallel_for(threads, rows, grain_for(in.classes), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        losses[i] = finish_row(in, begin + i, logits + i * in.classes, backward);
      }
    });
    for (std::int64_t i = 0; i < rows; ++i) loss += losses[i];

    if (gradients.x) {
      gemm<T>({rows, in.columns, in.classes}, {logits, in.classes}, {in.weight, in.columns},
              {gradients.x.data + begin * in.columns, in.columns, gradients.x.add}, scratch,
              threads);
    }
    if (gradients.weight) {
      gemm<T>({in.classes, in.columns, rows}, {logits, in.classes, true}, {x, in.columns},
              {gradients.weight.data, in.columns, gradients.weight.add || begin > 0}, scratch,
              threads);
    }
    if (gradients.bias) add_columns(rows, in.classes, logits, gradients.bias.data, threads);
  }
  return loss;
}

template double cross_entropy(const CrossEntropyInput<float>&, const CrossEntropyGradients<float>&,
                              Arena&, int);
template double cross_entropy(const CrossEntropyInput<double>&,
                              const CrossEntropyGradients<double>&, Arena&, int);

}  // namespace heddle::kernels
