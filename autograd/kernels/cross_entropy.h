// Output projection, softmax with label smoothing, and the gradient of both, in chunks of rows:
//
//   z_i = x_i W^T + b,   p_i = softmax(z_i),   C classes, smoothing e, row weight w_i
//   loss  = sum_i w_i (logsumexp(z_i) - (1 - e) z_i[target_i] - e / C sum_j z_ij)
//   dz_ij = w_i (p_ij - (1 - e) [j = target_i] - e / C)
//
// A chunk of logits is made, turned into its gradient in place and multiplied out while it is still
// in the cache; the full [rows, classes] matrix never exists.
#pragma once

#include <cstdint>

#include "autograd/base/arena.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

template <class T>
struct CrossEntropyInput {
  std::int64_t rows;
  std::int64_t columns;         // d_model
  std::int64_t vocabulary;      // rows of weight
  std::int64_t classes;         // the first of them take part; the others are never read
  const T* x;                   // [rows, columns]
  const T* weight;              // [vocabulary, columns]
  const T* bias;                // [vocabulary], or null
  const std::int32_t* targets;  // [rows], each below classes
  const double* row_weights;    // [rows]
  double smoothing;
};

/// Any of them may be unwanted. Rows of the gradients beyond `classes` are cleared or left as they
/// are, as `add` says.
template <class T>
struct CrossEntropyGradients {
  GradientSink<T> x;       // [rows, columns]
  GradientSink<T> weight;  // [vocabulary, columns]
  GradientSink<T> bias;    // [vocabulary]

  bool wanted() const { return x || weight || bias; }
};

/// The loss, and the gradients that are wanted. Without any, logits of a row do not depend on the
/// other rows (row_invariant_product).
template <class T>
double cross_entropy(const CrossEntropyInput<T>& input, const CrossEntropyGradients<T>& gradients,
                     Arena& scratch, int threads);

}  // namespace heddle::kernels
