// Multi-head attention (Vaswani et al. 2017, section 3.2.2): projections around the operation.
//
//   self-attention    output(attention(query(x), key(x), value(x)))
//   cross-attention   output(attention(query(x), key(memory), value(memory)))
//
// Query, key and value are parameters of their own; one product computes all that read the same
// input. With rotary positions, the queries and keys of self-attention are turned by the position
// of their token, so that a score depends on the distance (Su et al. 2021, equation 16).
#pragma once

#include <cstddef>
#include <string_view>

#include "layers/attention.h"
#include "layers/cache.h"
#include "layers/linear.h"

namespace heddle {

/// The encoder's output.
struct Memory {
  Tensor states;        // [source tokens, d_model]
  Sequences sequences;  // of the source
};

/// What a sublayer reads besides its input.
struct StackInput {
  Sequences sequences;             // of the input
  const Memory* memory = nullptr;  // decoder, all tokens at once
  DecoderCache* cache = nullptr;   // decoder, step by step: instead of the memory
  AttentionMaps* maps = nullptr;   // where set, receives the attention weights
};

class SelfAttention {
 public:
  struct Kind {
    bool causal = false;  // sees no token to the right: decoder
    bool rotary = false;  // turns queries and keys by their positions
  };

  /// `cache_index`: which of a cache's self-attention matrices is this one's.
  SelfAttention(const Scope& scope, const Config& config, std::int64_t d_model, int depth,
                const Kind& kind, std::size_t cache_index);

  /// x [tokens, d_model] -> the same shape.
  Tensor operator()(Context& context, const Tensor& x, const StackInput& input) const;

  /// Columns [key | value] of a row of the cache.
  std::int64_t cached_width() const { return 2 * heads_.kv_width(); }

 private:
  Heads heads_;
  Kind kind_;
  double rotary_base_;
  std::size_t cache_index_;
  Linear query_key_value_;  // [width + 2 kv_width, d_model]
  Linear output_;           // [d_model, width]
};

class CrossAttention {
 public:
  /// `cache_index`: which of a cache's cross-attention matrices is this one's.
  CrossAttention(const Scope& scope, const Config& config, std::int64_t d_model,
                 std::int64_t memory_d_model, int depth, std::size_t cache_index);

  /// x [tokens, d_model] -> the same shape.
  Tensor operator()(Context& context, const Tensor& x, const StackInput& input) const;

  /// Fills this sublayer's part of a cache.
  void store_memory(Context& context, const Memory& memory, std::int64_t first_row,
                    DecoderCache& cache) const;
  std::int64_t cached_width() const { return 2 * heads_.kv_width(); }

 private:
  Heads heads_;
  std::size_t cache_index_;
  Linear query_;      // [width, d_model]
  Linear key_value_;  // [2 kv_width, d_model of the memory]
  Linear output_;     // [d_model, width]
};

}  // namespace heddle
