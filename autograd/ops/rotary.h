// Rotary positions of queries and keys.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/base/sequences.h"
#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

struct RotaryOptions {
  int heads = 1;              // blocks of head_dim columns that are turned
  std::int64_t head_dim = 0;  // even
  double base = 10000.0;      // pair j turns by base^(-2 j / head_dim) per position
  std::span<const std::int32_t> first_positions;  // per sentence, for decoding; empty: all 0
};

/// Turns each pair (x[j], x[j + head_dim / 2]) of every head by the position of the token in its
/// sentence times the frequency of the pair (Su et al. 2021, equation 34; the pairs are those of
/// GPT-NeoX and Llama): [tokens, heads * head_dim] from the first columns of x [tokens, at least
/// heads * head_dim]. x may be a projection to query, key and value side by side: the heads of
/// query and key are turned, the columns behind them are left out and get no gradient from here.
/// Throws where the heads do not fit x, head_dim is odd or a sentence begins at a negative
/// position.
Tensor rotary(Context& context, const Tensor& x, Sequences sequences, const RotaryOptions& options);

}  // namespace heddle
