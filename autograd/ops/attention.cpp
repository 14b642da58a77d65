#include "autograd/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "autograd/kernels/attention.h"
#include "autograd/op.h"
#include "autograd/ops/shaping.h"

namespace heddle {

namespace {

using kernels::AttentionShape;
using kernels::GradientRows;
using kernels::Rows;

void check_columns(const char* what, const Columns& block, std::int64_t width, DType dtype) {
  const Tensor& m = block.matrix;
  check(m.shape.rank() == 2 && m.dtype == dtype, "attention: ", what, " ", m.shape, " of ", m.dtype,
        " is not a matrix of ", dtype);
  check(block.first >= 0 && block.first <= m.shape.columns() - width, "attention: ", what,
        " needs ", width, " columns of ", m.shape, ", from ", block.first, " on");
}

void check_lengths(Sequences queries, Sequences keys, bool causal) {
  check(queries.size() == keys.size(), "attention: ", queries.size(), " query sentences, ",
        keys.size(), " key sentences");
  for (std::size_t i = 0; i < queries.size(); ++i) {
    check(queries[i].length <= kernels::kMaxQueries, "attention: sentence ", i, " has ",
          queries[i].length, " queries, at most ", kernels::kMaxQueries, " are supported");
    check(!causal || queries[i].length <= keys[i].length, "attention: sentence ", i, " has ",
          queries[i].length, " queries but only ", keys[i].length, " keys to look back on");
  }
}

void check_keys(Sequences keys, std::span<const std::int32_t> rows, std::int64_t cache_rows) {
  if (rows.empty()) return check_sequences("attention: keys", keys, cache_rows);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::int64_t end = std::int64_t{keys[i].begin} + keys[i].length;
    check(
        keys[i].length >= 1 && keys[i].begin >= 0 && end <= static_cast<std::int64_t>(rows.size()),
        "attention: keys of sentence ", i, " are outside the ", rows.size(), " key rows");
  }
  for (std::size_t j = 0; j < rows.size(); ++j) {
    check(rows[j] >= 0 && rows[j] < cache_rows, "attention: key row ", rows[j], " at ", j,
          " is outside the ", cache_rows, " rows of key and value");
  }
}

// Query, key and value, checked, with what forward and backward share.
struct Problem {
  Columns query, key, value;
  AttentionShape shape;
  std::int64_t width, kv_width;  // columns of all heads

  template <class T>
  static Rows<const T> rows(const Columns& block) {
    return {block.matrix.as<T>() + block.first, block.matrix.shape.columns()};
  }
};

Problem checked_problem(Context& context, const Op& op, const Columns& query, const Columns& key,
                        const Columns& value, Sequences queries, Sequences keys,
                        const AttentionOptions& options) {
  const int kv_heads = options.kv_heads != 0 ? options.kv_heads : options.heads;
  check(options.heads >= 1 && kv_heads >= 1 && options.heads % kv_heads == 0,
        "attention: ", kv_heads, " key and value heads do not divide ", options.heads, " heads");
  check(options.head_dim >= 1 && options.head_dim <= kernels::kMaxHeadDim, "attention: head_dim ",
        options.head_dim, " is outside 1 to ", kernels::kMaxHeadDim);
  Problem p{query, key, value, {}, options.heads * options.head_dim, kv_heads * options.head_dim};
  check(std::isfinite(options.scale), "attention: scale ", options.scale, " is no number");
  check_floating("attention", query.matrix);
  const DType dtype = query.matrix.dtype;
  check_columns("query", query, p.width, dtype);
  check_columns("key", key, p.kv_width, dtype);
  check_columns("value", value, p.kv_width, dtype);
  check(key.matrix.shape[0] == value.matrix.shape[0], "attention: key ", key.matrix.shape,
        " and value ", value.matrix.shape, " differ in rows");
  check_sequences("attention: queries", queries, query.matrix.shape[0]);
  check_keys(keys, options.key_rows, key.matrix.shape[0]);
  check_lengths(queries, keys, options.causal);

  const double scale =
      options.scale != 0.0 ? options.scale : 1.0 / std::sqrt(static_cast<double>(options.head_dim));
  p.shape = {options.heads,
             kv_heads,
             static_cast<int>(options.head_dim),
             scale,
             options.causal,
             context.arena().copy(queries),
             context.arena().copy(keys),
             nullptr,
             op.dropout(options.dropout)};
  if (!options.key_rows.empty()) p.shape.key_rows = context.arena().copy(options.key_rows).data();
  return p;
}

// Whether the gradients of two blocks go to different places. Tensors with different slots can
// share memory, too: a parameter that is used twice.
bool apart(const Columns& a, std::int64_t a_width, const Columns& b, std::int64_t b_width) {
  const Tensor& m = a.matrix;
  const Tensor& n = b.matrix;
  if (!m.needs_gradient() || !n.needs_gradient()) return true;
  if (m.slot == n.slot && m.shape == n.shape) {
    return a.first + a_width <= b.first || b.first + b_width <= a.first;
  }
  const auto begin = [](const Tensor& t) { return static_cast<const std::byte*>(t.data); };
  return begin(m) + m.bytes() <= begin(n) || begin(n) + n.bytes() <= begin(m);
}

// Where they do not, key and value become copies, whose gradients the tape adds up.
void separate(Context& context, Problem& p) {
  if (apart(p.query, p.width, p.key, p.kv_width) && apart(p.query, p.width, p.value, p.kv_width) &&
      apart(p.key, p.kv_width, p.value, p.kv_width)) {
    return;
  }
  for (Columns* block : {&p.key, &p.value}) {
    *block = {slice(context, block->matrix, 1, block->first, block->first + p.kv_width)};
  }
}

// The gradients of query, key and value may be blocks of one matrix, which is written once: its
// first write must cover every column, so where the blocks leave some out it is cleared first.
template <class T>
struct BlockGradients {
  GradientRows<T> query, key, value;

  BlockGradients(Backward& b, const Problem& p) {
    const Columns* const blocks[] = {&p.query, &p.key, &p.value};
    const std::int64_t widths[] = {p.width, p.kv_width, p.kv_width};
    GradientRows<T>* const results[] = {&query, &key, &value};
    for (int i = 0; i < 3; ++i) {
      if (results[i]->ld != 0) continue;
      const Tensor& matrix = blocks[i]->matrix;
      const auto sink = b.sink<T>(matrix);
      std::int64_t covered = 0;
      for (int j = i; j < 3; ++j) {
        if (blocks[j]->matrix.slot == matrix.slot) covered += widths[j];
      }
      if (sink && !sink.add && covered < matrix.shape.columns()) {
        std::fill_n(sink.data, matrix.elements(), T{0});
      }
      for (int j = i; j < 3; ++j) {
        if (blocks[j]->matrix.slot != matrix.slot) continue;
        T* const data = sink ? sink.data + blocks[j]->first : nullptr;
        *results[j] = {{data, sink.add}, matrix.shape.columns()};
      }
    }
  }
};

// The attention weights that a user asked for.
Tensor weights_of(Context& context, const Problem& p, const Tensor& logsumexp) {
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < p.shape.queries.size(); ++i) {
    elements += std::int64_t{p.shape.queries[i].length} * p.shape.keys[i].length;
  }
  const Tensor weights = context.empty({p.shape.heads * elements}, logsumexp.dtype);
  dispatch(logsumexp.dtype, "attention", [&](auto zero) {
    using T = decltype(zero);
    kernels::attention_weights<T>(p.shape, p.rows<T>(p.query), p.rows<T>(p.key), logsumexp.as<T>(),
                                  weights.as<T>(), context.threads());
  });
  return weights;
}

}  // namespace

Tensor attention(Context& context, const Columns& query, const Columns& key, const Columns& value,
                 Sequences queries, Sequences keys, const AttentionOptions& options) {
  const Op op(context, "attention", {query.matrix, key.matrix, value.matrix});
  check(options.key_rows.empty() || !op.recording(),
        "attention: key_rows are for inference, they have no gradient");
  Problem p = checked_problem(context, op, query, key, value, queries, keys, options);
  if (op.recording()) separate(context, p);
  const std::int64_t tokens = query.matrix.shape[0];
  const Tensor y = op.output({tokens, p.width}, query.matrix.dtype);
  Tensor logsumexp;
  if (op.recording() || options.weights != nullptr) {
    logsumexp = context.empty({tokens, options.heads}, y.dtype);
  }
  dispatch(y.dtype, "attention", [&](auto zero) {
    using T = decltype(zero);
    kernels::attention<T>(
        p.shape, p.rows<T>(p.query), p.rows<T>(p.key), p.rows<T>(p.value), {y.as<T>(), p.width},
        logsumexp.data != nullptr ? logsumexp.as<T>() : nullptr, context.threads());
  });
  if (options.weights != nullptr) *options.weights = weights_of(context, p, logsumexp);
  op.record({y}, [=](Backward& b) {
    dispatch(y.dtype, "attention", [&](auto zero) {
      using T = decltype(zero);
      const BlockGradients<T> d(b, p);
      kernels::attention_backward<T>(p.shape, p.rows<T>(p.query), p.rows<T>(p.key),
                                     p.rows<T>(p.value), {y.as<T>(), p.width}, logsumexp.as<T>(),
                                     {b.upstream<T>(y), p.width}, d.query, d.key, d.value,
                                     b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
