// The encoder or the decoder: layers of sublayers, each wrapped in residual connection, dropout and
// norm (Vaswani et al. 2017, section 3.1 and figure 1). With f one sublayer, "norm_order" says
//
//   post   x = norm(x + dropout(f(x)))         the paper's
//   pre    x = x + dropout(f(norm(x)))         and one norm at the end (Xiong et al. 2020)
//
// The standard block is self_attention, feed_forward in the encoder, and self_attention,
// cross_attention, feed_forward in the decoder; "block" spells out another one:
//
//   "block": [{"type": "self_attention", "heads": 8}, {"type": "feed_forward", "d_ff": 512}]
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "layers/feed_forward.h"
#include "layers/layer_norm.h"
#include "layers/multi_head_attention.h"

namespace heddle {

class Stack {
 public:
  enum class Role { kEncoder, kDecoder };

  /// Reads "layers", "norm_order", "block", "residual_dropout" and what the sublayers read.
  Stack(const Scope& scope, const Config& config, Role role, std::int64_t d_model,
        std::int64_t memory_d_model);

  /// x [tokens, d_model] -> the same shape.
  Tensor operator()(Context& context, Tensor x, const StackInput& input) const;

  /// What a cache has to hold for this stack, and the part of it that the memory determines.
  const DecoderCache::Layout& cache_layout() const { return cache_layout_; }
  void store_memory(Context& context, const Memory& memory, std::int64_t first_row,
                    DecoderCache& cache) const;

  /// The sublayers in their order, by the names of their scopes.
  std::vector<std::string> sublayers() const;

 private:
  struct Sublayer {
    std::string name;
    std::variant<SelfAttention, CrossAttention, FeedForward> function;
    double dropout;
    Norm norm;  // of its result (post) or of its input (pre)

    Tensor operator()(Context& context, const Tensor& x, const StackInput& input) const;
  };
  struct Builder;

  bool pre_norm_;
  std::vector<Sublayer> sublayers_;
  std::optional<Norm> final_norm_;  // pre
  DecoderCache::Layout cache_layout_;
};

}  // namespace heddle
