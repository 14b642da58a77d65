// Token embeddings (Vaswani et al. 2017, sections 3.4 and 3.5): token i becomes
//
//   y[i] = dropout(scale * table[ids[i]] + positions[position of i])
//
// The position of a token is its index in its sentence, plus the sentence's offset where there is
// one (decoding step by step). One id, that of padding and start, may stand for a row of zeros: its
// table row is never read and gets no gradient. Matrices are row-major, [tokens, columns] for y.
#pragma once

#include <cstdint>

#include "autograd/base/sequences.h"
#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

struct EmbeddingTokens {
  std::int64_t count = 0;
  const std::int32_t* ids = nullptr;      // [count]
  std::int32_t zero_row = -1;             // this id has no embedding; -1: none
  Sequences sequences;                    // covers all tokens; read only where there are positions
  const std::int32_t* offsets = nullptr;  // [sentences] added to positions; null: zeros
};

/// `table` [vocabulary, columns]; `positions` [max_length, columns] or null.
template <class T>
void embedding(const EmbeddingTokens& tokens, std::int64_t columns, const T* table, double scale,
               const T* positions, const Dropout& dropout, T* y, int threads);

/// Where the gradients go. A sink that is overwritten is cleared whole: that, and nothing else,
/// costs time in proportion to the vocabulary.
template <class T>
struct EmbeddingGradients {
  GradientSink<T> table;        // [vocabulary, columns]
  std::int64_t vocabulary = 0;  // rows of it
  GradientSink<T> positions;    // [max_length, columns], for positions that are learned
  std::int64_t max_length = 0;  // rows of it
};

/// With d = mask * dropout scale * dy [tokens, columns]:
///   dtable[ids[i]] += scale * d[i],   dpositions[position of i] += d[i],   in the order of tokens.
template <class T>
void embedding_backward(const EmbeddingTokens& tokens, std::int64_t columns, double scale,
                        const Dropout& dropout, const T* dy, const EmbeddingGradients<T>& gradients,
                        int threads);

/// The sinusoids of section 3.5 as table [max_length, columns], columns even, sines in the first
/// half and cosines in the second: table[p][j] = sin(p w_j), table[p][columns / 2 + j] = cos(p w_j)
/// with w_j = 10000^(-2 j / columns). Computed in double.
template <class T>
void sinusoidal_positions(std::int64_t max_length, std::int64_t columns, T* table);

}  // namespace heddle::kernels
