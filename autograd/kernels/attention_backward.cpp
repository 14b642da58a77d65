// Attention backward. One work item is a sentence and a key/value head, which owns its dK and dV;
// inside it goes over the query heads of the group, tiles of queries, tiles of keys. All five
// products are made of tiles of S^T:
//   S^T = K Q^T,  dP^T = V dO^T,  dV += P^T dO,  dK += dS^T Q,  dQ += (dS^T)^T K
// and go straight to their sinks.
#include "autograd/base/parallel.h"
#include "autograd/kernels/attention.h"
#include "autograd/kernels/attention_tile.h"
#include "autograd/kernels/vector_math.h"

namespace heddle::kernels {

namespace {

template <class T>
struct Scratch {
  alignas(64) T query_t[kMaxHeadDim * kQueryTile<T>];
  alignas(64) T d_output_t[kMaxHeadDim * kQueryTile<T>];
  alignas(64) T scores[kKeyTile<T> * kQueryTile<T>];           // then dropout(P)
  alignas(64) T d_probabilities[kKeyTile<T> * kQueryTile<T>];  // then dS
  alignas(64) T query[kQueryTile<T> * kMaxHeadDim];            // where a copy is needed
  alignas(64) T d_output[kQueryTile<T> * kMaxHeadDim];
  alignas(64) T key[kKeyTile<T> * kMaxHeadDim];
  alignas(64) T logsumexp[kQueryTile<T>];
  alignas(64) T delta[kQueryTile<T>];  // D
  KeptTile<T> kept;
};
static_assert(sizeof(Scratch<float>) <= 256 * 1024 && sizeof(Scratch<double>) <= 256 * 1024);

template <class T>
struct Operands {
  Rows<const T> query, key, value, output, d_output;
  const T* logsumexp;
};

template <class T>
struct Gradients {
  GradientRows<T> query, key, value;
};

template <class T>
GradientRows<T> block(GradientRows<T> gradient, std::int64_t row, std::int64_t head, int head_dim) {
  if (gradient.sink) gradient.sink.data += row * gradient.ld + head * head_dim;
  return gradient;
}

// gradient (+)= factor * left * right, [rows, width].
template <class T, class Left>
void add_product(GradientRows<T> gradient, bool add, std::int64_t rows, std::int64_t width,
                 std::int64_t depth, Left left, Rows<const T> right, T factor) {
  multiply(rows, width, depth, left, right.data, right.ld,
           [&](std::int64_t i, std::int64_t c, Vector<T> sum) {
             T* row = gradient.sink.data + i * gradient.ld;
             sum *= factor;
             if (add) sum += load_up_to(row + c, width - c);
             store_columns(row, c, width, sum);
           });
}

// From S and dP to dropout(P) and dS. `Dropped` so that the common case carries no mask.
template <class T, bool kDropped>
void softmax_backward(Scratch<T>& s, std::int64_t queries, std::int64_t keys, T dropout_scale) {
  for (std::int64_t t = 0; t < queries; t += kElements<T>) {
    const Vector<T> logsumexp = load(s.logsumexp + t);
    const Vector<T> delta = load(s.delta + t);
    for (std::int64_t j = 0; j < keys; ++j) {
      T* score = s.scores + j * kQueryTile<T> + t;
      T* gradient = s.d_probabilities + j * kQueryTile<T> + t;
      const Vector<T> p = exp<T>(load(score) - logsumexp);
      Vector<T> dropped = p;
      Vector<T> dp = load(gradient);
      if constexpr (kDropped) {
        dropped = s.kept(j, t, p * dropout_scale);
        dp = s.kept(j, t, dp * dropout_scale);
      }
      store(score, dropped);
      store(gradient, p * (dp - delta));
    }
  }
}

// Prepares what all tiles of keys need of one tile of queries.
template <class T>
void load_queries(const AttentionShape& shape, const QueryTile& tile, const Operands<T>& x,
                  Scratch<T>& s) {
  const std::int64_t width = shape.head_dim;
  transpose_rows(x.query, tile.count, width, static_cast<T>(shape.scale), s.query_t);
  transpose_rows(x.d_output, tile.count, width, T{1}, s.d_output_t);
  row_products(
      x.d_output, x.output, [](std::int64_t i) { return i; }, tile.count, width, T{1}, s.delta);
  for (std::int64_t i = 0; i < kQueryTile<T>; ++i) {
    s.logsumexp[i] = i < tile.count ? x.logsumexp[(tile.row + i) * shape.heads + tile.head] : T{0};
  }
}

// One tile of queries: `x` and `d` begin at its rows, key and value at the sentence's. The first
// tile that an item computes overwrites dK and dV as their sinks say.
template <class T>
void backward_tile(const AttentionShape& shape, const QueryTile& tile, const Operands<T>& x,
                   const Gradients<T>& d, bool first_queries, Scratch<T>& s) {
  const std::int64_t width = shape.head_dim;
  load_queries(shape, tile, x, s);
  const Rows<const T> q = as_right_factor(x.query, tile.count, width, s.query);
  const Rows<const T> d_o = as_right_factor(x.d_output, tile.count, width, s.d_output);
  const auto keys_add = [&](const GradientRows<T>& g) { return g.sink.add || !first_queries; };
  for (std::int64_t j = 0; j < tile.keys; j += kKeyTile<T>) {
    const std::int64_t keys = std::min(kKeyTile<T>, tile.keys - j);
    transposed_product(from_row(x.key, j), keys, tile.count, width, s.query_t, s.scores);
    mask_future(tile, j, keys, s.scores);
    transposed_product(from_row(x.value, j), keys, tile.count, width, s.d_output_t,
                       s.d_probabilities);
    const auto dropout_scale = static_cast<T>(shape.dropout.scale);
    if (shape.dropout.active()) {
      s.kept.draw(shape, tile, j, keys);
      softmax_backward<T, true>(s, tile.count, keys, dropout_scale);
    } else {
      softmax_backward<T, false>(s, tile.count, keys, dropout_scale);
    }
    const auto scale = static_cast<T>(shape.scale);
    if (d.value.sink) {
      add_product(block(d.value, j, 0, 0), keys_add(d.value), keys, width, tile.count,
                  RowMajor<T>{s.scores, kQueryTile<T>}, d_o, T{1});
    }
    if (d.key.sink) {
      add_product(block(d.key, j, 0, 0), keys_add(d.key), keys, width, tile.count,
                  RowMajor<T>{s.d_probabilities, kQueryTile<T>}, q, scale);
    }
    if (d.query.sink) {
      const Rows<const T> k = as_right_factor(from_row(x.key, j), keys, width, s.key);
      add_product(d.query, d.query.sink.add || j > 0, tile.count, width, keys,
                  ColumnMajor<T>{s.d_probabilities, kQueryTile<T>}, k, scale);
    }
  }
}

template <class T>
void backward_item(const AttentionShape& shape, std::int64_t sentence, std::int64_t kv_head,
                   const Operands<T>& x, const Gradients<T>& d, Scratch<T>& s) {
  const int width = shape.head_dim;
  const int group = shape.heads / shape.kv_heads;
  const std::int64_t queries = shape.queries[static_cast<std::size_t>(sentence)].length;
  const std::int64_t tiles = (queries + kQueryTile<T> - 1) / kQueryTile<T>;
  const std::int64_t key_row = shape.keys[static_cast<std::size_t>(sentence)].begin;
  for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
    // From the last tile to the first: the last one sees all keys also where attention is causal,
    // so that it alone begins all of dK and dV.
    for (std::int64_t i = tiles - 1; i >= 0; --i) {
      const QueryTile tile = query_tile(shape, sentence, head, i * kQueryTile<T>, kQueryTile<T>);
      const auto queries_of = [&](Rows<const T> matrix) {
        return head_block(from_row(matrix, tile.row), head, width);
      };
      const auto keys_of = [&](Rows<const T> matrix) {
        return head_block(from_row(matrix, key_row), kv_head, width);
      };
      backward_tile(shape, tile,
                    {queries_of(x.query), keys_of(x.key), keys_of(x.value), queries_of(x.output),
                     queries_of(x.d_output), x.logsumexp},
                    {block(d.query, tile.row, head, width), block(d.key, key_row, kv_head, width),
                     block(d.value, key_row, kv_head, width)},
                    head == kv_head * group && i == tiles - 1, s);
    }
  }
}

}  // namespace

template <class T>
void attention_backward(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
                        Rows<const T> value, Rows<const T> output, const T* logsumexp,
                        Rows<const T> d_output, GradientRows<T> d_query, GradientRows<T> d_key,
                        GradientRows<T> d_value, int threads) {
  const auto sentences = static_cast<std::int64_t>(shape.queries.size());
  const Operands<T> x{query, key, value, output, d_output, logsumexp};
  const Gradients<T> d{d_query, d_key, d_value};
  const int group = shape.heads / shape.kv_heads;
  const auto rows_of = [](const GradientRows<T>& gradient) {
    return Rows<const T>{gradient.sink.data, gradient.ld};
  };
  parallel_for(threads, sentences * shape.kv_heads, 1, [&](std::int64_t item, std::int64_t) {
    Scratch<T> scratch;
    prefetch_head<T>(shape, (item + 1) / shape.kv_heads, (item + 1) % shape.kv_heads * group,
                     {query, output, d_output, rows_of(d_query)},
                     {key, value, rows_of(d_key), rows_of(d_value)});
    backward_item(shape, item / shape.kv_heads, item % shape.kv_heads, x, d, scratch);
  });
}

template void attention_backward(const AttentionShape&, Rows<const float>, Rows<const float>,
                                 Rows<const float>, Rows<const float>, const float*,
                                 Rows<const float>, GradientRows<float>, GradientRows<float>,
                                 GradientRows<float>, int);
template void attention_backward(const AttentionShape&, Rows<const double>, Rows<const double>,
                                 Rows<const double>, Rows<const double>, const double*,
                                 Rows<const double>, GradientRows<double>, GradientRows<double>,
                                 GradientRows<double>, int);

}  // namespace heddle::kernels
