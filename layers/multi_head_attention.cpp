#include "layers/multi_head_attention.h"

#include "autograd/ops/rotary.h"
#include "layers/initialisation.h"

namespace heddle {

namespace {

Linear self_projection(const Scope& scope, const Config& config, const Heads& heads,
                       std::int64_t d_model, int depth) {
  const Initialisation init(config);
  const Initialiser of_query = init.matrix(d_model, heads.width(), depth);
  const Initialiser of_key = init.matrix(d_model, heads.kv_width(), depth);
  return side_by_side(scope, d_model,
                      {{"query", heads.width(), of_query},
                       {"key", heads.kv_width(), of_key},
                       {"value", heads.kv_width(), of_key}});
}

Linear memory_projection(const Scope& scope, const Config& config, const Heads& heads,
                         std::int64_t d_model, int depth) {
  const Initialiser of_key = Initialisation(config).matrix(d_model, heads.kv_width(), depth);
  return side_by_side(scope, d_model,
                      {{"key", heads.kv_width(), of_key}, {"value", heads.kv_width(), of_key}});
}

// Of the layer `name` [out, in].
Linear projection(const Scope& scope, const char* name, const Config& config, std::int64_t in,
                  std::int64_t out, int depth) {
  return {scope / name, in, out, Initialisation(config).matrix(in, out, depth)};
}

// The base of rotary positions.
double rotary_base(const Config& config, const Heads& heads, bool rotary) {
  if (rotary && heads.head_dim % 2 != 0) {
    config.error("heads", "rotary positions need an even number of columns per head, not ",
                 heads.head_dim);
  }
  const double base =
      config.number("rotary_base", 10000.0, {.least = 1.0},
                    "Pair j of rotary positions turns by base^(-2j / columns of a head).");
  if (!rotary) config.idle("rotary_base", "it is for the positions \"rotary\"");
  return base;
}

// The operation, and its weights where somebody wants to look at them.
Tensor attend(Context& context, const Heads& heads, const Columns& query,
              const DecoderCache::KeyValues& kv, bool causal, const StackInput& input) {
  Tensor weights;
  AttentionOptions options;
  options.heads = heads.heads;
  options.kv_heads = heads.kv_heads;
  options.head_dim = heads.head_dim;
  options.causal = causal;
  options.dropout = heads.dropout;
  options.key_rows = kv.rows;
  if (input.maps != nullptr) options.weights = &weights;
  const Tensor y = attention(context, query, kv.key, kv.value, input.sequences, kv.keys, options);
  if (input.maps != nullptr) {
    input.maps->add(context.scope(), heads.heads, input.sequences, kv.keys, weights);
  }
  return y;
}

}  // namespace

SelfAttention::SelfAttention(const Scope& scope, const Config& config, std::int64_t d_model,
                             int depth, const Kind& kind, std::size_t cache_index)
    : heads_(config, d_model),
      kind_(kind),
      rotary_base_(rotary_base(config, heads_, kind.rotary)),
      cache_index_(cache_index),
      query_key_value_(self_projection(scope, config, heads_, d_model, depth)),
      output_(projection(scope, "output", config, heads_.width(), d_model, depth)) {}

Tensor SelfAttention::operator()(Context& context, const Tensor& x, const StackInput& input) const {
  const std::int64_t width = heads_.width(), kv_width = heads_.kv_width();
  const Tensor qkv = query_key_value_(context, x);
  Columns query{qkv, 0}, key{qkv, width};
  const Columns value{qkv, width + kv_width};
  if (kind_.rotary) {
    RotaryOptions options;
    options.heads = heads_.heads + heads_.kv_heads;
    options.head_dim = heads_.head_dim;
    options.base = rotary_base_;
    if (input.cache != nullptr) options.first_positions = input.cache->first_positions();
    query.matrix = key.matrix = rotary(context, qkv, input.sequences, options);
  }
  const DecoderCache::KeyValues kv =
      input.cache == nullptr ? DecoderCache::KeyValues{key, value, input.sequences, {}}
                             : input.cache->store_self(context, cache_index_, key, value);
  return output_(context, attend(context, heads_, query, kv, kind_.causal, input));
}

CrossAttention::CrossAttention(const Scope& scope, const Config& config, std::int64_t d_model,
                               std::int64_t memory_d_model, int depth, std::size_t cache_index)
    : heads_(config, d_model),
      cache_index_(cache_index),
      query_(projection(scope, "query", config, d_model, heads_.width(), depth)),
      key_value_(memory_projection(scope, config, heads_, memory_d_model, depth)),
      output_(projection(scope, "output", config, heads_.width(), d_model, depth)) {}

Tensor CrossAttention::operator()(Context& context, const Tensor& x,
                                  const StackInput& input) const {
  DecoderCache::KeyValues kv;
  if (input.cache != nullptr) {
    kv = input.cache->cross(context, cache_index_);
  } else {
    check(input.memory != nullptr, context.scope(), ": there is no memory to attend to");
    const Tensor projected = key_value_(context, input.memory->states);
    kv = {{projected, 0}, {projected, heads_.kv_width()}, input.memory->sequences, {}};
  }
  const Tensor query = query_(context, x);
  return output_(context, attend(context, heads_, {query, 0}, kv, false, input));
}

void CrossAttention::store_memory(Context& context, const Memory& memory, std::int64_t first_row,
                                  DecoderCache& cache) const {
  cache.store_cross(cache_index_, first_row, key_value_(context, memory.states));
}

}  // namespace heddle
