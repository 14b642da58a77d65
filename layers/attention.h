// Attention inside a model: how many heads, and what people may look at.
//
// softmax(Q K^T / sqrt(head_dim)) V itself (Vaswani et al. 2017, equation 1) is the operation
// autograd/ops/attention.h; multi_head_attention.h puts the projections around it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/ops/attention.h"
#include "configs/config.h"

namespace heddle {

/// Heads of one attention sublayer. Several query heads may share a head of keys and values
/// (Ainslie et al. 2023, "GQA").
struct Heads {
  int heads;
  int kv_heads;
  std::int64_t head_dim;  // d_model / heads
  double dropout;         // of the attention weights

  /// Reads "heads", "kv_heads" and "attention_dropout".
  Heads(const Config& config, std::int64_t d_model);

  /// Columns of the query, and of key and value each.
  std::int64_t width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
};

/// The attention weights of one forward pass, for people to look at: copies. A layer that runs
/// again takes the place of what it had.
class AttentionMaps {
 public:
  /// The weights of one head for one sentence, [queries, keys], before dropout.
  struct Map {
    std::int64_t queries, keys;
    std::vector<double> weights;

    double at(std::int64_t query, std::int64_t key) const {
      return weights[static_cast<std::size_t>(query * keys + key)];
    }
  };

  /// The sublayers that ran, in their order: "decoder.layers.0.cross_attention".
  const std::vector<std::string>& layers() const { return layers_; }
  /// Throws, with the nearest name or the numbers there are, for what did not run.
  Map map(std::string_view layer, std::int64_t sentence, int head) const;
  /// The mean over all heads.
  Map mean(std::string_view layer, std::int64_t sentence) const;

  /// Called by the sublayers. `weights` as the operation gives them.
  void add(std::string_view layer, int heads, Sequences queries, Sequences keys,
           const Tensor& weights);

 private:
  struct Layer {
    int heads;
    std::vector<Sequence> queries, keys;
    std::vector<double> weights;  // sentence after sentence [heads, queries, keys]
  };
  const Layer& find(std::string_view layer) const;

  std::vector<std::string> layers_;
  std::vector<Layer> data_;
};

}  // namespace heddle
