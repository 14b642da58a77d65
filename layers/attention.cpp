#include "layers/attention.h"

#include <algorithm>

#include "autograd/base/nearest.h"
#include "autograd/kernels/attention.h"

namespace heddle {

namespace {

// The quotient where it is whole. Where not, that is noted, and reading goes on with what fits.
std::int64_t divided(const Config& config, const char* key, std::int64_t what, std::int64_t by,
                     const char* name) {
  if (what % by != 0)
    config.error(key, by, config.if_default(key), " does not divide ", name, " ", what);
  return std::max<std::int64_t>(1, what / by);
}

int key_and_value_heads(const Config& config, int heads) {
  const auto given = config.integer_or("kv_heads", "heads", {1, 1024},
                                       "Heads of keys and values that the query heads share.");
  if (!given) return heads;
  divided(config, "kv_heads", heads, *given, "heads");
  return static_cast<int>(heads % *given == 0 ? *given : heads);
}

}  // namespace

Heads::Heads(const Config& config, std::int64_t d_model)
    : heads(static_cast<int>(config.integer("heads", 8, {1, 1024}, "Attention heads."))),
      kv_heads(key_and_value_heads(config, heads)),
      head_dim(divided(config, "heads", d_model, heads, "d_model")),
      dropout(config.number("attention_dropout", 0.0, Numbers::probability(),
                            "Dropout of the attention weights.")) {
  if (head_dim <= kernels::kMaxHeadDim) return;
  config.error("heads", "heads of d_model ", d_model, " / ", heads, " = ", head_dim,
               " columns are wider than ", kernels::kMaxHeadDim, "; take more heads");
  head_dim = kernels::kMaxHeadDim;
}

void AttentionMaps::add(std::string_view layer, int heads, Sequences queries, Sequences keys,
                        const Tensor& weights) {
  auto place = std::ranges::find(layers_, layer);
  if (place == layers_.end()) {
    place = layers_.emplace(place, layer);
    data_.emplace_back();
  }
  Layer& data = data_[static_cast<std::size_t>(place - layers_.begin())];
  data = {heads, {queries.begin(), queries.end()}, {keys.begin(), keys.end()}, {}};
  for (std::int64_t i = 0; i < weights.elements(); ++i) data.weights.push_back(weights.value(i));
}

const AttentionMaps::Layer& AttentionMaps::find(std::string_view layer) const {
  const auto found = std::ranges::find(layers_, layer);
  if (found == layers_.end()) {
    const std::vector<std::string_view> known(layers_.begin(), layers_.end());
    fail("attention maps: there is no layer ", layer, suggestion(layer, known));
  }
  return data_[static_cast<std::size_t>(found - layers_.begin())];
}

AttentionMaps::Map AttentionMaps::map(std::string_view layer, std::int64_t sentence,
                                      int head) const {
  const Layer& l = find(layer);
  const auto sentences = static_cast<std::int64_t>(l.queries.size());
  check(sentence >= 0 && sentence < sentences && head >= 0 && head < l.heads,
        "attention maps: ", layer, " has ", sentences, " sentences and ", l.heads,
        " heads, no sentence ", sentence, " with head ", head);
  std::int64_t offset = 0;
  for (std::int64_t s = 0; s < sentence; ++s) {
    const auto i = static_cast<std::size_t>(s);
    offset += std::int64_t{l.heads} * l.queries[i].length * l.keys[i].length;
  }
  const auto i = static_cast<std::size_t>(sentence);
  Map map{l.queries[i].length, l.keys[i].length, {}};
  const auto first = l.weights.begin() + offset + head * map.queries * map.keys;
  map.weights.assign(first, first + map.queries * map.keys);
  return map;
}

AttentionMaps::Map AttentionMaps::mean(std::string_view layer, std::int64_t sentence) const {
  const int heads = find(layer).heads;
  Map mean = map(layer, sentence, 0);
  for (int head = 1; head < heads; ++head) {
    const Map other = map(layer, sentence, head);
    for (std::size_t i = 0; i < mean.weights.size(); ++i) mean.weights[i] += other.weights[i];
  }
  for (double& weight : mean.weights) weight /= heads;
  return mean;
}

}  // namespace heddle
