#include "layers/stack.h"

#include <array>
#include <string_view>

#include "layers/dropout_rates.h"
#include "layers/positions.h"

namespace heddle {

namespace {

enum class SublayerType { kSelfAttention, kFeedForward, kCrossAttention };

// An encoder knows the first two.
constexpr std::array<std::string_view, 3> kTypes = {"self_attention", "feed_forward",
                                                    "cross_attention"};
constexpr SublayerType kEncoderBlock[] = {SublayerType::kSelfAttention, SublayerType::kFeedForward};
constexpr SublayerType kDecoderBlock[] = {
    SublayerType::kSelfAttention, SublayerType::kCrossAttention, SublayerType::kFeedForward};

// Each one is built: what a short config asks for is bounded.
constexpr std::size_t kMostSublayers = 10'000;

constexpr Named<bool> kNormOrders[] = {{"post", false}, {"pre", true}};

struct BlockItem {
  SublayerType type;
  Config config;
};

std::vector<BlockItem> block_of(const Config& config, Stack::Role role, int layers) {
  const bool encoder = role == Stack::Role::kEncoder;
  std::vector<BlockItem> block;
  for (const ConfigItem& item :
       config.items("block", std::span(kTypes).first(encoder ? 2 : 3),
                    "The sublayers of a layer, in place of the standard ones.")) {
    block.push_back({static_cast<SublayerType>(item.type), item.config});
  }
  if (block.size() * static_cast<std::size_t>(layers) > kMostSublayers) {
    config.error("block", "holds ", block.size(), " sublayers, in ", layers,
                 " layers; a stack has at most ", kMostSublayers, " in all");
    block.clear();
  }
  if (!block.empty()) return block;
  const auto standard = encoder ? std::span<const SublayerType>(kEncoderBlock)
                                : std::span<const SublayerType>(kDecoderBlock);
  for (const SublayerType type : standard) block.push_back({type, config});
  return block;
}

}  // namespace

// Makes the sublayers of one stack and counts, for the cache, those that attend.
struct Stack::Builder {
  SelfAttention::Kind self_attention;
  std::int64_t d_model, memory_d_model;
  DecoderCache::Layout& cache;

  decltype(Sublayer::function) function(const Scope& place, const BlockItem& item, int depth) {
    if (item.type == SublayerType::kSelfAttention) {
      SelfAttention attention(place, item.config, d_model, depth, self_attention,
                              cache.self_widths.size());
      cache.self_widths.push_back(attention.cached_width());
      return attention;
    }
    if (item.type == SublayerType::kCrossAttention) {
      CrossAttention attention(place, item.config, d_model, memory_d_model, depth,
                               cache.cross_widths.size());
      cache.cross_widths.push_back(attention.cached_width());
      return attention;
    }
    return FeedForward(place, item.config, d_model, depth);
  }

  Sublayer sublayer(const Scope& layer, const std::string& name, const BlockItem& item, int depth) {
    auto f = function(layer / name, item, depth);
    const double dropout =
        dropout_rate(item.config, "residual_dropout", "Dropout of a sublayer's output.");
    return {(layer / name).path(), std::move(f), dropout,
            Norm(layer / (name + "_norm"), item.config, d_model)};
  }
};

Stack::Stack(const Scope& scope, const Config& config, Role role, std::int64_t d_model,
             std::int64_t memory_d_model)
    : pre_norm_(config.choice("norm_order", "post", kNormOrders,
                              "Whether a norm follows the residual connection or precedes the "
                              "sublayer.")) {
  const auto layers =
      static_cast<int>(config.integer("layers", 6, {1, 1000}, "Layers of the stack."));
  const std::vector<BlockItem> block = block_of(config, role, layers);
  const bool rotary = position_kind(config) == PositionKind::kRotary;
  Builder build{{role == Role::kDecoder, rotary}, d_model, memory_d_model, cache_layout_};
  for (int layer = 0; layer < layers; ++layer) {
    std::array<int, kTypes.size()> seen{};
    for (const BlockItem& item : block) {
      const auto type = static_cast<std::size_t>(item.type);
      std::string name(kTypes[type]);
      if (++seen[type] > 1) name.append("_").append(std::to_string(seen[type]));
      sublayers_.push_back(build.sublayer(scope / "layers" / layer, name, item, layer + 1));
    }
  }
  if (pre_norm_) final_norm_.emplace(scope / "norm", config, d_model);
}

Tensor Stack::Sublayer::operator()(Context& context, const Tensor& x,
                                   const StackInput& input) const {
  if (const auto* feed_forward = std::get_if<FeedForward>(&function)) {
    return (*feed_forward)(context, x);
  }
  if (const auto* attention = std::get_if<SelfAttention>(&function)) {
    return (*attention)(context, x, input);
  }
  return std::get<CrossAttention>(function)(context, x, input);
}

Tensor Stack::operator()(Context& context, Tensor x, const StackInput& input) const {
  if (!pre_norm_) {
    for (const Sublayer& sublayer : sublayers_) {
      const NamedScope named(context, sublayer.name);
      const Tensor delta = sublayer(context, x, input);
      x = sublayer.norm.of_residual(context, x, delta, sublayer.dropout).normed;
    }
    return x;
  }
  // The norm in front of the next sublayer is computed together with the sum before it.
  Tensor normed = sublayers_.front().norm(context, x);
  for (std::size_t i = 0; i < sublayers_.size(); ++i) {
    const NamedScope named(context, sublayers_[i].name);
    const Tensor delta = sublayers_[i](context, normed, input);
    const Norm& next = i + 1 < sublayers_.size() ? sublayers_[i + 1].norm : *final_norm_;
    const ResidualNorm both = next.of_residual(context, x, delta, sublayers_[i].dropout);
    x = both.sum;
    normed = both.normed;
  }
  return normed;
}

void Stack::store_memory(Context& context, const Memory& memory, std::int64_t first_row,
                         DecoderCache& cache) const {
  for (const Sublayer& sublayer : sublayers_) {
    if (const auto* cross = std::get_if<CrossAttention>(&sublayer.function)) {
      const NamedScope named(context, sublayer.name);
      cross->store_memory(context, memory, first_row, cache);
    }
  }
}

std::vector<std::string> Stack::sublayers() const {
  std::vector<std::string> names;
  for (const Sublayer& sublayer : sublayers_) names.push_back(sublayer.name);
  return names;
}

}  // namespace heddle
