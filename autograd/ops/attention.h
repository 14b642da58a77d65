// Scaled dot-product attention over packed sentences, several heads at once.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/base/sequences.h"
#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

/// A block of columns of a matrix (a cache in blocks is one matrix, whose rows key_rows picks):
/// query, key and value may lie side by side in one projection [tokens, 3 d_model]; the block
/// begins at column `first`.
struct Columns {
  Tensor matrix;
  std::int64_t first = 0;
};

struct AttentionOptions {
  int heads = 1;
  int kv_heads = 0;  // key and value heads; 0: as many as query heads
  std::int64_t head_dim = 0;
  double scale = 0.0;         // 0: 1 / sqrt(head_dim)
  bool causal = false;        // query t of n_q sees keys 0 to n_k - n_q + t
  double dropout = 0.0;       // of the attention weights
  Tensor* weights = nullptr;  // where set, receives the attention weights (no gradient), one after
                              // the other: sentence by sentence a block [heads, n_q, n_k]
  std::span<const std::int32_t> key_rows;  // inference: row of key j of the sentence that begins at
                                           // b is key_rows[b + j]; empty: b + j
};

/// softmax(scale Q K^T) V for every sentence and head (Vaswani et al. 2017, equation 1):
/// [query tokens, heads * head_dim]. Sentence i of `queries` attends to sentence i of `keys`.
Tensor attention(Context& context, const Columns& query, const Columns& key, const Columns& value,
                 Sequences queries, Sequences keys, const AttentionOptions& options);

}  // namespace heddle
