#include "autograd/ops/attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/kernels/attention.h"
#include "autograd/op.h"

namespace heddle {

namespace {

using kernels::AttentionShape;
using kernels::GradientRows;
using kernels::Rows;

void check_columns(const char* what, const Columns& block, std::int64_t width, DType dtype) {
  const Tensor& m = block.matrix;
  check(m.shape.rank() == 2 && m.dtype == dtype, "attention: ", what, " ", m.shape, " of ", m.dtype,
        " is not a matrix of ", dtype);
  check(block.first >= 0 && block.first + width <= m.shape.columns(), "attention: ", what,
        " needs columns ", block.first, " to ", block.first + width, " of ", m.shape);
}

void check_lengths(Sequences queries, Sequences keys, bool causal) {
  check(queries.size() == keys.size(), "attention: ", queries.size(), " query sentences, ",
        keys.size(), " key sentences");
  for (std::size_t i = 0; i < queries.size(); ++i) {
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

Problem checked_problem(Context& context, const Columns& query, const Columns& key,
                        const Columns& value, Sequences queries, Sequences keys,
                        const AttentionOptions& options) {
  const int kv_heads = options.kv_heads > 0 ? options.kv_heads : options.heads;
  check(options.heads >= 1 && options.heads % kv_heads == 0, "attention: ", kv_heads,
        " key and value heads do not divide ", options.heads, " heads");
  check(options.head_dim >= 1 && options.head_dim <= kernels::kMaxHeadDim, "attention: head_dim ",
        options.head_dim, " is outside 1 to ", kernels::kMaxHeadDim);
  Problem p{query, key, value, {}, options.heads * options.head_dim, kv_heads * options.head_dim};
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
             context.next_dropout(options.dropout)};
  if (!options.key_rows.empty()) p.shape.key_rows = context.arena().copy(options.key_rows).data();
  return p;
}

// The gradients of query, key and value may be blocks of one matrix, which is written once: its
// first write must cover every column, so where the blocks leave some out it is cleared first. A
// block that overlaps an earlier one (one matrix as key and value) is written to scratch and added.
template <class T>
class BlockGradients {
 public:
  BlockGradients(Backward& b, const Problem& p)
      : blocks_{p.query, p.key, p.value}, widths_{p.width, p.kv_width, p.kv_width} {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t first = first_of_matrix(i);
      targets_[i] = first == i ? whole_target(b, i) : targets_[first];
      const std::int64_t columns = blocks_[i].matrix.shape.columns();
      if (!targets_[i]) continue;
      if (overlaps(i)) {
        const std::int64_t size = blocks_[i].matrix.shape[0] * widths_[i];
        rows_[i] = {{b.context().scratch().allocate<T>(size)}, widths_[i]};
      } else {
        rows_[i] = {{targets_[i].data + blocks_[i].first, targets_[i].add}, columns};
      }
    }
  }

  const GradientRows<T>& query() const { return rows_[0]; }
  const GradientRows<T>& key() const { return rows_[1]; }
  const GradientRows<T>& value() const { return rows_[2]; }

  /// After the kernel: adds what was written to scratch.
  void finish() const {
    for (std::size_t i = 0; i < 3; ++i) {
      if (!targets_[i] || !overlaps(i)) continue;
      const std::int64_t columns = blocks_[i].matrix.shape.columns();
      for (std::int64_t r = 0; r < blocks_[i].matrix.shape[0]; ++r) {
        T* const to = targets_[i].data + r * columns + blocks_[i].first;
        const T* const from = rows_[i].target.data + r * widths_[i];
        for (std::int64_t c = 0; c < widths_[i]; ++c) to[c] += from[c];
      }
    }
  }

 private:
  bool same_matrix(std::size_t i, std::size_t j) const {
    return blocks_[i].matrix.data == blocks_[j].matrix.data;
  }

  std::size_t first_of_matrix(std::size_t i) const {
    std::size_t first = 0;
    while (!same_matrix(first, i)) ++first;
    return first;
  }

  bool overlaps(std::size_t i) const {
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = blocks_[i].first + widths_[i] <= blocks_[j].first ||
                         blocks_[j].first + widths_[j] <= blocks_[i].first;
      if (same_matrix(i, j) && !apart) return true;
    }
    return false;
  }

  // The target of the matrix that block `i` is the first to name.
  kernels::GradientTarget<T> whole_target(Backward& b, std::size_t i) const {
    const Tensor& matrix = blocks_[i].matrix;
    auto target = b.target<T>(matrix);
    std::int64_t covered = 0;
    for (std::size_t j = i; j < 3; ++j) {
      if (same_matrix(i, j) && !overlaps(j)) covered += widths_[j];
    }
    if (target && !target.add && covered < matrix.shape.columns()) {
      std::fill_n(target.data, matrix.elements(), T{0});
      target.add = true;
    }
    return target;
  }

  std::array<Columns, 3> blocks_;
  std::array<std::int64_t, 3> widths_;
  std::array<kernels::GradientTarget<T>, 3> targets_{};
  std::array<GradientRows<T>, 3> rows_{};
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
  const Problem p = checked_problem(context, query, key, value, queries, keys, options);
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
      const ArenaScope scope(b.context().scratch());
      const BlockGradients<T> d(b, p);
      kernels::attention_backward<T>(p.shape, p.rows<T>(p.query), p.rows<T>(p.key),
                                     p.rows<T>(p.value), {y.as<T>(), p.width}, logsumexp.as<T>(),
                                     {b.upstream<T>(y), p.width}, d.query(), d.key(), d.value(),
                                     b.context().threads());
      d.finish();
    });
  });
  return y;
}

}  // namespace heddle
