#include "autograd/kernels/embedding.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/dropout_tile.h"

namespace heddle::kernels {

namespace {

// Finds positions of tokens that are asked for more or less in order.
class PositionCursor {
 public:
  PositionCursor(const EmbeddingTokens& tokens, std::int64_t first)
      : sequences_(tokens.sequences), offsets_(tokens.offsets) {
    const auto after = std::upper_bound(
        sequences_.begin(), sequences_.end(), first,
        [](std::int64_t token, const Sequence& sequence) { return token < sequence.begin; });
    index_ = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - sequences_.begin() - 1, 0));
  }

  std::int64_t operator()(std::int64_t token) {
    while (token < sequences_[index_].begin) --index_;
    while (token >= sequences_[index_].begin + sequences_[index_].length) ++index_;
    const std::int64_t offset = offsets_ == nullptr ? 0 : offsets_[index_];
    return token - sequences_[index_].begin + offset;
  }

 private:
  Sequences sequences_;
  const std::int32_t* offsets_;
  std::size_t index_;
};

// y = dropout(scale * word + position) for one row of a tile; word and position may be null.
template <class T>
void embed_row(std::int64_t count, const KeptBits& kept, const T* word, T word_scale,
               const T* position, T scale, T* y) {
  const auto write = [&](const auto& value) {
    for_each_vector<T>(count, [&](std::int64_t i, const auto& part) {
      part.store(y + i, kept.only<T>(i, value(i, part) * scale));
    });
  };
  const auto word_at = [&](auto i, const auto& part) { return part.load(word + i) * word_scale; };
  const auto position_at = [&](auto i, const auto& part) { return part.load(position + i); };
  if (word != nullptr && position != nullptr) {
    write([&](auto i, const auto& part) { return word_at(i, part) + position_at(i, part); });
  } else if (word != nullptr) {
    write(word_at);
  } else if (position != nullptr) {
    write(position_at);
  } else {
    std::fill_n(y, count, T{0});
  }
}

// to += dropout(dy * factor) for one row of a tile.
template <class T>
void add_row(std::int64_t count, const KeptBits& kept, const T* dy, T factor, T* to) {
  for_each_vector<T>(count, [&](std::int64_t i, const auto& part) {
    put(part, to + i, true, kept.only<T>(i, part.load(dy + i) * factor));
  });
}

template <class T>
void clear(const GradientSink<T>& sink, std::int64_t elements, int threads) {
  if (!sink || sink.add) return;
  parallel_for(threads, elements, grain_for(1), [&](std::int64_t begin, std::int64_t end) {
    std::fill(sink.data + begin, sink.data + end, T{0});
  });
}

}  // namespace

template <class T>
void embedding(const EmbeddingTokens& tokens, std::int64_t columns, const T* table, double scale,
               const T* positions, const Dropout& dropout, T* y, int threads) {
  const std::int64_t grain = dropout_grain(columns);
  parallel_for(threads, tokens.count, grain, [&](std::int64_t begin, std::int64_t end) {
    PositionCursor position_of(tokens, begin);
    for_each_dropout_tile(dropout, begin, end, 0, columns, [&](const DropoutTile& tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const std::int64_t token = tile.row + r;
        const std::int64_t id = tokens.ids[token];
        const T* const word = id == tokens.zero_row ? nullptr : table + id * columns + tile.column;
        const T* const position =
            positions == nullptr ? nullptr : positions + position_of(token) * columns + tile.column;
        embed_row(tile.columns, tile.kept(r), word, static_cast<T>(scale), position,
                  static_cast<T>(dropout.scale), y + token * columns + tile.column);
      }
    });
  });
}

template <class T>
void embedding_backward(const EmbeddingTokens& tokens, std::int64_t columns, double scale,
                        const Dropout& dropout, const T* dy, const EmbeddingGradients<T>& gradients,
                        int threads) {
  clear(gradients.table, gradients.vocabulary * columns, threads);
  clear(gradients.positions, gradients.max_length * columns, threads);
  // Every thread takes all tokens, in order, and its own columns: an element's sum is the same
  // however the columns are cut.
  const std::int64_t share = columns / std::max(threads, 1) + 1;
  const std::int64_t grain = threads <= 1 ? columns : (share + 15) / 16 * 16;
  parallel_for(threads, columns, grain, [&](std::int64_t first, std::int64_t last) {
    PositionCursor position_of(tokens, 0);
    for_each_dropout_tile(dropout, 0, tokens.count, first, last, [&](const DropoutTile& tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const std::int64_t token = tile.row + r;
        const std::int64_t id = tokens.ids[token];
        const T* const upstream = dy + token * columns + tile.column;
        if (gradients.table && id != tokens.zero_row) {
          add_row(tile.columns, tile.kept(r), upstream, static_cast<T>(scale * dropout.scale),
                  gradients.table.data + id * columns + tile.column);
        }
        if (gradients.positions) {
          add_row(tile.columns, tile.kept(r), upstream, static_cast<T>(dropout.scale),
                  gradients.positions.data + position_of(token) * columns + tile.column);
        }
      }
    });
  });
}

template <class T>
void sinusoidal_positions(std::int64_t max_length, std::int64_t columns, T* table) {
  const std::int64_t half = columns / 2;
  for (std::int64_t j = 0; j < half; ++j) {
    const double frequency =
        std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(columns));
    for (std::int64_t p = 0; p < max_length; ++p) {
      const double angle = static_cast<double>(p) * frequency;
      table[p * columns + j] = static_cast<T>(std::sin(angle));
      table[p * columns + half + j] = static_cast<T>(std::cos(angle));
    }
  }
}

template void embedding(const EmbeddingTokens&, std::int64_t, const float*, double, const float*,
                        const Dropout&, float*, int);
template void embedding(const EmbeddingTokens&, std::int64_t, const double*, double, const double*,
                        const Dropout&, double*, int);
template void embedding_backward(const EmbeddingTokens&, std::int64_t, double, const Dropout&,
                                 const float*, const EmbeddingGradients<float>&, int);
template void embedding_backward(const EmbeddingTokens&, std::int64_t, double, const Dropout&,
                                 const double*, const EmbeddingGradients<double>&, int);
template void sinusoidal_positions(std::int64_t, std::int64_t, float*);
template void sinusoidal_positions(std::int64_t, std::int64_t, double*);

}  // namespace heddle::kernels
