// What attention's forward and backward share: tiles of the transposed scores.
//
// A tile is S^T [keys, queries]: one vector holds one key's scores with kElements queries. So a
// softmax runs down the rows without touching neighbours, K and V are read where they lie, only Q
// (and dO) are transposed, and the bits of one query do not depend on the queries beside it.
// Elements beyond the last query hold zeros or finite leftovers that no product reads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "autograd/kernels/attention.h"
#include "autograd/kernels/tile_product.h"
#include "autograd/kernels/transpose.h"

namespace heddle::kernels {

template <class T>
inline constexpr std::int64_t kQueryTile = 128 / sizeof(T);
template <class T>
inline constexpr std::int64_t kKeyTile = 256 / sizeof(T);
static_assert(kQueryTile<double> % kDropoutRows == 0, "eight queries share the bits of dropout");

/// One head's queries `first` to first + count - 1 of a sentence.
struct QueryTile {
  std::int64_t sentence;
  std::int64_t head;
  std::int64_t first;
  std::int64_t count;
  std::int64_t row;        // of the first query in query and output
  std::int64_t key_begin;  // where the sentence's keys begin
  std::int64_t keys;       // how many of them some query of the tile sees
  std::int64_t past;       // query t of the sentence sees keys 0 to past + t
};

inline QueryTile query_tile(const AttentionShape& shape, std::int64_t sentence, std::int64_t head,
                            std::int64_t first, std::int64_t tile_length) {
  const Sequence queries = shape.queries[static_cast<std::size_t>(sentence)];
  const Sequence keys = shape.keys[static_cast<std::size_t>(sentence)];
  const std::int64_t count = std::min(tile_length, queries.length - first);
  const std::int64_t past = shape.causal ? keys.length - queries.length : keys.length;
  return {.sentence = sentence,
          .head = head,
          .first = first,
          .count = count,
          .row = queries.begin + first,
          .key_begin = keys.begin,
          .keys = std::min<std::int64_t>(keys.length, past + first + count),
          .past = past};
}

/// The column where the block of head `head` begins.
template <class T>
Rows<T> head_block(Rows<T> matrix, std::int64_t head, int head_dim) {
  return {matrix.data + head * head_dim, matrix.ld};
}

template <class T>
Rows<T> from_row(Rows<T> matrix, std::int64_t row) {
  return {matrix.data + row * matrix.ld, matrix.ld};
}

/// `width` up to whole vectors.
template <class T>
constexpr std::int64_t padded(std::int64_t width) {
  return (width + kElements<T> - 1) / kElements<T> * kElements<T>;
}

/// The vector at `source`, of which only `count` elements may be read; zeros for the others.
template <class T>
[[gnu::always_inline]] inline Vector<T> load_up_to(const T* source, std::int64_t count) {
  return count >= kElements<T> ? load(source) : load_part(source, count);
}

/// to[c, i] = factor * source[i, c] for i < rows and c < columns, at most kElements each; zero
/// for further i. `kWhole`: rows = columns = kElements.
template <bool kWhole, class T>
void transpose_square(Rows<const T> source, std::int64_t rows, std::int64_t columns, T factor,
                      T* to) {
  Vector<T> square[kElements<T>] = {};
#pragma GCC unroll 16
  for (int i = 0; i < kElements<T>; ++i) {
    const T* row = source.data + i * source.ld;
    if constexpr (kWhole) square[i] = load(row) * factor;
    if (!kWhole && i < rows) square[i] = load_up_to(row, columns) * factor;
  }
  transpose<T>(square);
#pragma GCC unroll 16
  for (int c = 0; c < kElements<T>; ++c) {
    if (kWhole || c < columns) store(to + c * kQueryTile<T>, square[c]);
  }
}

/// The same for any `rows` and `columns`.
template <class T>
void transpose_rows(Rows<const T> source, std::int64_t rows, std::int64_t columns, T factor,
                    T* to) {
  for (std::int64_t i = 0; i < rows; i += kElements<T>) {
    for (std::int64_t c = 0; c < columns; c += kElements<T>) {
      const Rows<const T> corner{source.data + i * source.ld + c, source.ld};
      T* transposed = to + c * kQueryTile<T> + i;
      if (rows - i >= kElements<T> && columns - c >= kElements<T>) {
        transpose_square<true>(corner, rows - i, columns - c, factor, transposed);
      } else {
        transpose_square<false>(corner, rows - i, columns - c, factor, transposed);
      }
    }
  }
}

/// Asks the memory for what the head will begin with, while another one is computed: hardware does
/// not guess narrow blocks of columns. (256 sentences of 16 tokens: backward 1.7 times as fast.)
/// Always inline: GCC 12 drops calls of functions that do nothing but prefetch.
template <class T>
[[gnu::always_inline]] inline void prefetch_head(const AttentionShape& shape, std::int64_t sentence,
                                                 std::int64_t head,
                                                 std::initializer_list<Rows<const T>> query_side,
                                                 std::initializer_list<Rows<const T>> key_side) {
  if (sentence >= static_cast<std::int64_t>(shape.queries.size())) return;
  constexpr std::int64_t kLine = 64 / sizeof(T);
  const auto prefetch = [&](Rows<const T> rows, std::int64_t count) __attribute__((always_inline)) {
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t c = 0; c < shape.head_dim; c += kLine) {
        __builtin_prefetch(rows.data + i * rows.ld + c, 0, 2);
      }
    }
  };
  const QueryTile tile = query_tile(shape, sentence, head, 0, kQueryTile<T>);
  for (const Rows<const T> rows : query_side) {
    if (rows.data == nullptr) continue;
    prefetch(head_block(from_row(rows, tile.row), head, shape.head_dim), tile.count);
  }
  if (shape.key_rows != nullptr) return;
  const std::int64_t kv_head = head * shape.kv_heads / shape.heads;
  for (const Rows<const T> rows : key_side) {
    if (rows.data == nullptr) continue;
    prefetch(head_block(from_row(rows, tile.key_begin), kv_head, shape.head_dim),
             std::min(kKeyTile<T>, tile.keys));
  }
}

/// Copies rows index(0), index(1), ... one after the other, padded to whole vectors.
template <class T, class Index>
Rows<const T> copy_rows(Rows<const T> source, const Index& index, std::int64_t count,
                        std::int64_t width, T* copy) {
  const std::int64_t ld = padded<T>(width);
  for (std::int64_t j = 0; j < count; ++j) {
    const T* row = source.data + index(j) * source.ld;
    for (std::int64_t c = 0; c < width; c += kElements<T>) {
      store(copy + j * ld + c, load_up_to(row + c, width - c));
    }
  }
  return {copy, ld};
}

/// `count` rows as the right factor of a product, which is read in whole vectors: a copy only where
/// the rows are not made of them.
template <class T>
Rows<const T> as_right_factor(Rows<const T> rows, std::int64_t count, std::int64_t width, T* copy) {
  if (width % kElements<T> == 0) return rows;
  return copy_rows(
      rows, [](std::int64_t j) { return j; }, count, width, copy);
}

/// Key (or value) rows `first` to first + count - 1 of the tile's sentence, as a right factor. A
/// copy where they do not follow each other.
template <class T>
Rows<const T> key_tile(const AttentionShape& shape, const QueryTile& tile, std::int64_t first,
                       std::int64_t count, Rows<const T> matrix, T* copy) {
  const std::int64_t begin = tile.key_begin + first;
  if (shape.key_rows == nullptr) {
    return as_right_factor(from_row(matrix, begin), count, shape.head_dim, copy);
  }
  const auto index = [rows = shape.key_rows + begin](std::int64_t j) { return rows[j]; };
  return copy_rows(matrix, index, count, shape.head_dim, copy);
}

/// Writes a vector to columns c.. of a row that ends at `width`.
template <class T>
[[gnu::always_inline]] inline void store_columns(T* row, std::int64_t c, std::int64_t width,
                                                 Vector<T> value) {
  if (c + kElements<T> <= width) {
    store(row + c, value);
  } else {
    store_part(row + c, value, width - c);
  }
}

/// products[i] = factor * a[i] . b[index(i)] for `count` rows; finite leftovers up to whole
/// vectors.
template <class T, class Index>
void row_products(Rows<const T> a, Rows<const T> b, const Index& index, std::int64_t count,
                  std::int64_t width, T factor, T* products) {
  for (std::int64_t i = 0; i < count; i += kElements<T>) {
    Vector<T> sums[kElements<T>];
#pragma GCC unroll 16
    for (int r = 0; r < kElements<T>; ++r) {
      // Beyond the last row the last one is taken again, so that nothing branches.
      const std::int64_t row = std::min(i + r, count - 1);
      const T* x = a.data + row * a.ld;
      const T* y = b.data + index(row) * b.ld;
      Vector<T> sum{};
      for (std::int64_t c = 0; c < width; c += kElements<T>) {
        sum += load_up_to(x + c, width - c) * load_up_to(y + c, width - c);
      }
      sums[r] = sum;
    }
    store(products + i, sums_of_rows<T>(sums) * factor);
  }
}

template <class T>
[[gnu::always_inline]] inline Vector<IntegerOf<T>> element_numbers() {
  Vector<IntegerOf<T>> numbers{};
  for (int i = 0; i < kElements<T>; ++i) numbers[i] = i;
  return numbers;
}

/// S^T[j, t] = K[j] . Q[t] for `keys` keys; `query_t` is scaled and transposed.
template <class T>
void transposed_product(Rows<const T> rows, std::int64_t keys, std::int64_t queries,
                        std::int64_t width, const T* transposed, T* product) {
  multiply(keys, queries, width, RowMajor<T>{rows.data, rows.ld}, transposed, kQueryTile<T>,
           [product](std::int64_t j, std::int64_t t, Vector<T> sum) {
             store(product + j * kQueryTile<T> + t, sum);
           });
}

/// S^T[j, t] = -infinity where query t does not see key first_key + j.
template <class T>
void mask_future(const QueryTile& tile, std::int64_t first_key, std::int64_t keys, T* scores) {
  // Query t of the tile sees key j of the tile of keys where j - t <= diagonal.
  const std::int64_t diagonal = tile.past + tile.first - first_key;
  const Vector<T> hidden = broadcast(-std::numeric_limits<T>::infinity());
  for (std::int64_t j = std::max<std::int64_t>(0, diagonal + 1); j < keys; ++j) {
    for (std::int64_t t = 0; t < tile.count; t += kElements<T>) {
      T* score = scores + j * kQueryTile<T> + t;
      const auto first_seeing = static_cast<IntegerOf<T>>(j - diagonal - t);
      store(score, element_numbers<T>() >= first_seeing ? load(score) : hidden);
    }
  }
}

/// Which probabilities of a tile dropout keeps.
template <class T>
class KeptTile {
 public:
  void draw(const AttentionShape& shape, const QueryTile& tile, std::int64_t first_key,
            std::int64_t keys) {
    const std::uint64_t row =
        attention_dropout_row(shape, tile.sentence, static_cast<int>(tile.head), tile.first);
    for (std::int64_t t = 0; t < tile.count; t += kDropoutRows) {
      const std::int64_t group = t / kDropoutRows;
      dropout_bits(shape.dropout, row / kDropoutRows + static_cast<std::uint64_t>(group),
                   static_cast<std::uint32_t>(first_key), keys, bits_[group]);
    }
  }

  /// `value`, belonging to key j and queries t.., with zeros where dropped.
  [[gnu::always_inline]] Vector<T> operator()(std::int64_t j, std::int64_t t,
                                              Vector<T> value) const {
    std::uint32_t bits = bits_[t / kDropoutRows][j];
    if constexpr (kElements<T> == 16) bits |= std::uint32_t{bits_[t / kDropoutRows + 1][j]} << 8;
    if constexpr (kElements<T> < kDropoutRows) bits >>= t % kDropoutRows;
    using Bits = Vector<IntegerOf<T>>;
    const Bits all = static_cast<IntegerOf<T>>(bits) - Bits{};
    const Bits own = (IntegerOf<T>{1} - Bits{}) << element_numbers<T>();
    return (all & own) != 0 ? value : Vector<T>{};
  }

 private:
  std::uint8_t bits_[kQueryTile<T> / kDropoutRows][kKeyTile<T>];
};

}  // namespace heddle::kernels
