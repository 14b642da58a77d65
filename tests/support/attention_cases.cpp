#include <cmath>

#include "autograd/kernels/attention.h"
#include "autograd/ops/arithmetic.h"
#include "autograd/ops/attention.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/reduction.h"
#include "autograd/ops/shaping.h"
#include "tests/support/masks.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

struct Setting {
  std::string label;
  int heads, kv_heads;
  std::int64_t head_dim;
  std::vector<std::int32_t> queries, keys;  // lengths
  bool causal = false;
  double dropout = 0.0;
  bool fused = false;  // query, key and value are blocks of one matrix
  bool large = false;
  bool shared = false;  // one matrix is query, key and value

  std::int64_t width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
};

std::int64_t total(const std::vector<std::int32_t>& lengths) {
  return total_length(packed(lengths));
}

struct Blocks {
  Columns query, key, value;

  Blocks(const Setting& s, std::span<const Tensor> in) {
    if (s.shared) {
      query = key = value = {in[0], 1};
    } else if (s.fused) {
      query = {in[0], 0};
      key = {in[0], s.width()};
      value = {in[0], s.width() + s.kv_width()};
    } else {
      query = {in[0], 0};
      key = {in[1], 0};
      value = {in[2], 0};
    }
  }
};

Tensor block(Context& c, const Columns& columns, Sequence rows, std::int64_t first,
             std::int64_t width) {
  const Tensor part = slice(c, columns.matrix, 0, rows.begin, rows.begin + rows.length);
  return slice(c, part, 1, columns.first + first, columns.first + first + width);
}

// Keys that a query may not look at.
Tensor hidden(Context& c, std::int64_t queries, std::int64_t keys) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(queries * keys));
  for (std::int64_t t = 0; t < queries; ++t) {
    for (std::int64_t k = 0; k < keys; ++k) {
      mask[static_cast<std::size_t>(t * keys + k)] = k > keys - queries + t ? 1 : 0;
    }
  }
  return c.constant({queries, keys}, std::span<const std::uint8_t>(mask));
}

// The mask of one sentence and head, given the dropout of the whole operation.
Tensor weights_mask(Context& c, const kernels::Dropout& dropout, const Shape& shape, DType dtype,
                    std::uint64_t first_row) {
  const Tensor mask = c.empty(shape, dtype);
  dispatch(dtype, "mask", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const auto row = first_row + static_cast<std::uint64_t>(i / shape.columns());
      const auto column = static_cast<std::uint32_t>(i % shape.columns());
      const bool kept = !dropout.active() || kernels::dropout_keeps(dropout, row, column);
      mask.as<T>()[i] = kept ? static_cast<T>(dropout.scale) : T{0};
    }
  });
  return mask;
}

// Equation 1 of the paper, sentence by sentence and head by head.
Tensor plain_attention(Context& c, const Setting& s, const Blocks& in) {
  const std::vector<Sequence> queries = packed(s.queries), keys = packed(s.keys);
  const kernels::Dropout dropout = c.next_dropout(s.dropout);
  kernels::AttentionShape place;
  place.heads = s.heads;
  std::vector<Tensor> sentences;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::vector<Tensor> heads;
    for (int h = 0; h < s.heads; ++h) {
      const std::int64_t own = h * s.head_dim;
      const std::int64_t shared = h / (s.heads / s.kv_heads) * s.head_dim;
      const Tensor query = block(c, in.query, queries[i], own, s.head_dim);
      const Tensor key = block(c, in.key, keys[i], shared, s.head_dim);
      const Tensor value = block(c, in.value, keys[i], shared, s.head_dim);
      Tensor scores = scale(c, matmul(c, query, transpose(c, key)),
                            1.0 / std::sqrt(static_cast<double>(s.head_dim)));
      if (s.causal) {
        scores = masked_fill(c, scores, hidden(c, queries[i].length, keys[i].length), -1e30);
      }
      const Tensor weights = softmax(c, scores);
      const std::uint64_t row =
          kernels::attention_dropout_row(place, static_cast<std::int64_t>(i), h, 0);
      const Tensor mask = weights_mask(c, dropout, weights.shape, weights.dtype, row);
      heads.push_back(matmul(c, mul(c, weights, mask), value));
    }
    sentences.push_back(concat(c, heads, 1));
  }
  return concat(c, sentences, 0);
}

void add_attention(std::vector<OpCase>& cases, const Setting& s) {
  std::vector<OpInput> inputs;
  if (s.shared) {
    inputs = {{"x", {total(s.queries), s.width() + 2}}};
  } else if (s.fused) {
    inputs = {{"query_key_value", {total(s.queries), s.width() + 2 * s.kv_width()}}};
  } else {
    inputs = {{"query", {total(s.queries), s.width()}},
              {"key", {total(s.keys), s.kv_width()}},
              {"value", {total(s.keys), s.kv_width()}}};
  }
  const auto run = [s](Context& c, std::span<const Tensor> in) {
    const Blocks b(s, in);
    AttentionOptions options;
    options.heads = s.heads;
    options.kv_heads = s.kv_heads;
    options.head_dim = s.head_dim;
    options.causal = s.causal;
    options.dropout = s.dropout;
    return attention(c, b.query, b.key, b.value, packed(s.queries), packed(s.keys), options);
  };
  const auto composed = [s](Context& c, std::span<const Tensor> in) {
    return plain_attention(c, s, Blocks(s, in));
  };
  cases.push_back({"attention", s.label, inputs, run, nullptr, composed, s.large, 1e-5});
}

}  // namespace

void add_attention_cases(std::vector<OpCase>& cases) {
  const std::vector<std::int32_t> one{1}, uneven{3, 1, 9}, other{5, 2, 4}, longer{4, 1, 11};
  add_attention(cases, {"one token", 1, 1, 1, one, one});
  add_attention(cases, {"uneven", 2, 2, 5, uneven, uneven});
  add_attention(cases, {"causal", 2, 2, 4, uneven, uneven, true});
  add_attention(cases, {"cross", 2, 2, 3, uneven, other});
  add_attention(cases, {"causal with a prefix", 1, 1, 6, uneven, longer, true});
  add_attention(cases, {"dropout", 2, 2, 4, uneven, uneven, false, 0.3});
  add_attention(cases, {"causal, dropout", 2, 2, 4, uneven, uneven, true, 0.3});
  add_attention(cases, {"grouped keys", 4, 2, 3, uneven, other, false, 0.2});
  add_attention(cases, {"fused", 2, 2, 4, uneven, uneven, false, 0.0, true});
  add_attention(cases,
                {"fused, grouped, causal, dropout", 4, 1, 3, uneven, uneven, true, 0.2, true});
  Setting shared{"one matrix is all three", 2, 2, 4, uneven, uneven, true, 0.2};
  shared.shared = true;
  add_attention(cases, shared);
  add_attention(cases, {"head of 33", 1, 1, 33, other, other, true});
  std::vector<std::int32_t> many(256, 16);
  Setting large{"large", 4, 4, 32, many, many, true, 0.1, true, true};
  add_attention(cases, large);
}

}  // namespace heddle::testing
