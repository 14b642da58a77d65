// Attention forward, one tile of queries after the other over tiles of keys, with the running
// maximum and sum of every query ("online softmax": Milakov and Gimelshein 2018, algorithm 3).
//
// The output is kept normalised at every step, straight in its place. With m, l the maximum and the
// sum so far, and m', l' including the next tile of keys:
//   O' = (l exp(m - m') / l') O + (1 / l') exp(S - m') V
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/kernels/attention.h"
#include "autograd/kernels/attention_one_query.h"
#include "autograd/kernels/attention_tile.h"
#include "autograd/kernels/vector_math.h"

namespace heddle::kernels {

namespace {

template <class T>
struct Scratch {
  alignas(64) T query_t[kMaxHeadDim * kQueryTile<T>];
  alignas(64) T scores[kKeyTile<T> * kQueryTile<T>];  // then probabilities
  alignas(64) T key[kKeyTile<T> * kMaxHeadDim];       // where a copy is needed
  alignas(64) T value[kKeyTile<T> * kMaxHeadDim];
  // Per query: maximum and sum so far, and the factors of the old and the new part of O.
  alignas(64) T maximum[kQueryTile<T>];
  alignas(64) T sum[kQueryTile<T>];
  alignas(64) T old_factor[kQueryTile<T>];
  alignas(64) T new_factor[kQueryTile<T>];
  KeptTile<T> kept;
};
static_assert(sizeof(Scratch<float>) <= 256 * 1024 && sizeof(Scratch<double>) <= 256 * 1024);

// The largest of column t.. over `keys` rows, and of `start`.
template <class T>
Vector<T> column_maximum(const T* column, std::int64_t keys, Vector<T> start) {
  Vector<T> top[2] = {start, start};
  for (std::int64_t j = 0; j + 1 < keys; j += 2) {
    top[0] = larger_of<T>(top[0], load(column + j * kQueryTile<T>));
    top[1] = larger_of<T>(top[1], load(column + (j + 1) * kQueryTile<T>));
  }
  return larger_of<T>(larger_of<T>(top[0], top[1]), load(column + (keys - 1) * kQueryTile<T>));
}

// Replaces the scores by exp(S - maximum), brings maximum and sum up to date.
template <class T>
void softmax_step(Scratch<T>& s, std::int64_t queries, std::int64_t keys, bool first_keys,
                  T dropout_scale) {
  for (std::int64_t t = 0; t < queries; t += kElements<T>) {
    T* column = s.scores + t;
    const Vector<T> before = first_keys ? broadcast(-std::numeric_limits<T>::infinity())  //
                                        : load(s.maximum + t);
    const Vector<T> maximum = column_maximum(column, keys, before);
    const auto exponential = [&](std::int64_t j) {
      const Vector<T> p = exp<T>(load(column + j * kQueryTile<T>) - maximum);
      store(column + j * kQueryTile<T>, p);
      return p;
    };
    Vector<T> even{}, odd{};
    std::int64_t j = 0;
    for (; j + 1 < keys; j += 2) {
      even += exponential(j);
      odd += exponential(j + 1);
    }
    if (j < keys) even += exponential(j);
    const Vector<T> old_sum = first_keys ? Vector<T>{} : load(s.sum + t) * exp<T>(before - maximum);
    const Vector<T> sum = old_sum + (even + odd);
    store(s.maximum + t, maximum);
    store(s.sum + t, sum);
    store(s.old_factor + t, old_sum / sum);
    store(s.new_factor + t, dropout_scale / sum);
  }
}

template <class T>
void drop(const KeptTile<T>& kept, std::int64_t queries, std::int64_t keys, T* probabilities) {
  for (std::int64_t j = 0; j < keys; ++j) {
    for (std::int64_t t = 0; t < queries; t += kElements<T>) {
      T* p = probabilities + j * kQueryTile<T> + t;
      store(p, kept(j, t, load(p)));
    }
  }
}

// O = old_factor O + new_factor P V.
template <class T>
void add_values(const Scratch<T>& s, const QueryTile& tile, std::int64_t keys, bool first_keys,
                Rows<const T> value, std::int64_t width, Rows<T> output) {
  multiply(tile.count, width, keys, ColumnMajor<T>{s.scores, kQueryTile<T>}, value.data, value.ld,
           [&](std::int64_t i, std::int64_t c, Vector<T> sum) {
             T* row = output.data + i * output.ld;
             sum *= s.new_factor[i];
             if (!first_keys) sum += s.old_factor[i] * load_up_to(row + c, width - c);
             store_columns(row, c, width, sum);
           });
}

template <class T>
void forward_tile(const AttentionShape& shape, const QueryTile& tile, Rows<const T> query,
                  Rows<const T> key, Rows<const T> value, Rows<T> output, Scratch<T>& s) {
  if (tile.count == 1 && !shape.dropout.active()) {
    const RunningSoftmax<T> r = attend_one_query(shape, tile, query.data, key, value, output.data);
    s.maximum[0] = r.maximum;
    s.sum[0] = r.sum;
    return;
  }
  const std::int64_t width = shape.head_dim;
  transpose_rows(query, tile.count, width, static_cast<T>(shape.scale), s.query_t);
  for (std::int64_t j = 0; j < tile.keys; j += kKeyTile<T>) {
    const std::int64_t keys = std::min(kKeyTile<T>, tile.keys - j);
    const Rows<const T> k = key_tile(shape, tile, j, keys, key, s.key);
    const Rows<const T> v = key_tile(shape, tile, j, keys, value, s.value);
    transposed_product(k, keys, tile.count, width, s.query_t, s.scores);
    mask_future(tile, j, keys, s.scores);
    softmax_step(s, tile.count, keys, j == 0, static_cast<T>(shape.dropout.scale));
    if (shape.dropout.active()) {
      s.kept.draw(shape, tile, j, keys);
      drop(s.kept, tile.count, keys, s.scores);
    }
    add_values(s, tile, keys, j == 0, v, width, output);
  }
}

template <class T>
void write_logsumexp(const Scratch<T>& s, const QueryTile& tile, int heads, T* logsumexp) {
  for (std::int64_t i = 0; i < tile.count; ++i) {
    logsumexp[(tile.row + i) * heads + tile.head] = s.maximum[i] + std::log(s.sum[i]);
  }
}

// exp(S - logsumexp) of one query, as plain loops: for the eye, not for speed.
template <class T>
void weights_of_query(const AttentionShape& shape, const QueryTile& one, Rows<const T> query,
                      Rows<const T> key, T logsumexp, T* weights) {
  for (std::int64_t j = 0; j < one.keys; ++j) {
    const std::int64_t place = one.key_begin + j;
    const std::int64_t row = shape.key_rows == nullptr ? place : shape.key_rows[place];
    T score = 0;
    for (std::int64_t c = 0; c < shape.head_dim; ++c) {
      score += static_cast<T>(shape.scale) * query.data[c] * key.data[row * key.ld + c];
    }
    weights[j] = std::exp(score - logsumexp);
  }
}

// Tiles of queries in the longest sentence.
template <class T>
std::int64_t most_tiles(Sequences queries) {
  std::int64_t longest = 0;
  for (const Sequence& s : queries) longest = std::max<std::int64_t>(longest, s.length);
  return (longest + kQueryTile<T> - 1) / kQueryTile<T>;
}

}  // namespace

template <class T>
void attention(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
               Rows<const T> value, Rows<T> output, T* logsumexp, int threads) {
  const std::int64_t tiles = most_tiles<T>(shape.queries);
  const auto sentences = static_cast<std::int64_t>(shape.queries.size());
  const int group = shape.heads / shape.kv_heads;
  parallel_for(threads, sentences * shape.heads * tiles, 1, [&](std::int64_t item, std::int64_t) {
    const std::int64_t first = item % tiles * kQueryTile<T>;
    const std::int64_t head = item / tiles % shape.heads;
    const std::int64_t sentence = item / tiles / shape.heads;
    if (first >= shape.queries[static_cast<std::size_t>(sentence)].length) return;
    const QueryTile tile = query_tile(shape, sentence, head, first, kQueryTile<T>);
    Scratch<T> scratch;
    if (first == 0) {
      const std::int64_t next = item / tiles + 1;
      prefetch_head<T>(shape, next / shape.heads, next % shape.heads, {query}, {key, value});
    }
    forward_tile(shape, tile, head_block(from_row(query, tile.row), head, shape.head_dim),
                 head_block(key, head / group, shape.head_dim),
                 head_block(value, head / group, shape.head_dim),
                 head_block(from_row(output, tile.row), head, shape.head_dim), scratch);
    if (logsumexp != nullptr) write_logsumexp(scratch, tile, shape.heads, logsumexp);
  });
}

template <class T>
void attention_weights(const AttentionShape& shape, Rows<const T> query, Rows<const T> key,
                       const T* logsumexp, T* weights, int threads) {
  const int width = shape.head_dim;
  for (std::size_t sentence = 0; sentence < shape.queries.size(); ++sentence) {
    const Sequence queries = shape.queries[sentence];
    const Sequence keys = shape.keys[sentence];
    parallel_for(threads, shape.heads, 1, [&](std::int64_t head, std::int64_t) {
      const Rows<const T> k = head_block(key, head * shape.kv_heads / shape.heads, width);
      for (std::int64_t t = 0; t < queries.length; ++t) {
        const QueryTile one = query_tile(shape, static_cast<std::int64_t>(sentence), head, t, 1);
        T* row = weights + (head * queries.length + t) * keys.length;
        weights_of_query(shape, one, head_block(from_row(query, one.row), head, width), k,
                         logsumexp[one.row * shape.heads + head], row);
        std::fill(row + one.keys, row + keys.length, T{0});
      }
    });
    weights += std::int64_t{shape.heads} * queries.length * keys.length;
  }
}

template void attention(const AttentionShape&, Rows<const float>, Rows<const float>,
                        Rows<const float>, Rows<float>, float*, int);
template void attention(const AttentionShape&, Rows<const double>, Rows<const double>,
                        Rows<const double>, Rows<double>, double*, int);
template void attention_weights(const AttentionShape&, Rows<const float>, Rows<const float>,
                                const float*, float*, int);
template void attention_weights(const AttentionShape&, Rows<const double>, Rows<const double>,
                                const double*, double*, int);

}  // namespace heddle::kernels
