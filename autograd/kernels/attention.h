// Scaled dot-product attention on packed sentences (Vaswani et al. 2017, "Attention is all you
// need", equation 1 and section 3.2.2): for every sentence and head
//
//   S = scale Q K^T,   P = softmax(S),   O = dropout(P) V
//
// Memory is linear in the length of a sentence: tiles of S live on the stack, forward keeps the
// running maximum and sum of a row, and backward computes P again as exp(S - logsumexp), with
// D = rowsum(dO * O) (Dao 2023, "FlashAttention-2", algorithms 1 and 2).
#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/base/sequences.h"
#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

/// The scratch on the stack is sized for heads up to this wide.
inline constexpr int kMaxHeadDim = 256;
/// Queries of one sentence have this many rows of their own in dropout's logical matrix.
inline constexpr std::int32_t kMaxQueries = 1 << 24;

/// A matrix whose rows lie `ld` elements apart, for example a block of columns of a wider one.
template <class T>
struct Rows {
  T* data = nullptr;
  std::int64_t ld = 0;

  operator Rows<const T>() const requires(!std::is_const_v<T>) { return {data, ld}; }
};

/// A gradient whose rows lie `ld` elements apart.
template <class T>
struct GradientRows {
  GradientSink<T> sink;
  std::int64_t ld = 0;
};

/// Sentence i of `queries` attends to sentence i of `keys`. Head h is columns h * head_dim to
/// (h + 1) * head_dim - 1 of query and output, and reads the columns of head h / (heads / kv_heads)
/// of key and value (Ainslie et al. 2023, "GQA").
///
/// Causal: of n_q queries and n_k keys, query t sees keys 0 to n_k - n_q + t: a cached prefix may
/// precede the queries. Preconditions: n_q <= n_k where causal (so that every query sees a key), no
/// sentence is empty or longer than 2^24, kv_heads divides heads, head_dim <= kMaxHeadDim.
struct AttentionShape {
  int heads = 1;
  int kv_heads = 1;
  int head_dim = 0;
  double scale = 1.0;  // the paper's 1 / sqrt(head_dim)
  bool causal = false;
  Sequences queries;
  Sequences keys;
  /// Key j of a sentence that begins at b is row key_rows[b + j] of key and value; null: row b + j.
  /// With it, sentences of `keys` may overlap. Forward and weights only.
  const std::int32_t* key_rows = nullptr;
  /// Key k of query q in head h of sentence s is element (attention_dropout_row(shape, s, h, q),
  /// k).
  Dropout dropout;
};

/// The row of dropout's logical matrix that belongs to one query: eight queries share a Philox
/// call.
constexpr std::uint64_t attention_dropout_row(const AttentionShape& shape, std::int64_t sentence,
                                              int head, std::int64_t query) {
  return static_cast<std::uint64_t>(sentence * shape.heads + head) << 24 |
         static_cast<std::uint64_t>(query);
}

/// query [q_tokens, heads * head_dim], key and value [k_tokens, kv_heads * head_dim]
/// -> output [q_tokens, heads * head_dim] and, unless null, logsumexp [q_tokens, heads] of S.
template <class T>
void attention(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
               Rows<const T> value, Rows<T> output, T* logsumexp, int threads);

/// Shapes as in attention(); `output` and `logsumexp` are its results. With dP = mask * scale of
/// dropout * (dO V^T):
///   dV = dropout(P)^T dO,   dS = P * (dP - D),   dQ = scale dS K,   dK = scale dS^T Q.
template <class T>
void attention_backward(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
                        Rows<const T> value, Rows<const T> output, const T* logsumexp,
                        Rows<const T> d_output, GradientRows<T> d_query, GradientRows<T> d_key,
                        GradientRows<T> d_value, int threads);

/// P before dropout, for people to look at: for sentence after sentence a block
/// [heads, n_q, n_k]; 0 where a key is not seen.
template <class T>
void attention_weights(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
                       const T* logsumexp, T* weights, int threads);

}  // namespace heddle::kernels
