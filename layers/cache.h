// What decoding token by token keeps: the keys and values of what has been decoded, and those of
// the encoder's output. The storage of one translation, used again for the next.
//
// Self-attention. Each sublayer has one matrix of rows [key | value]; every new token of every
// hypothesis gets the next row. Which rows are the past of a hypothesis says the ancestry table
// [hypotheses, positions], shared by all sublayers: when beams are reordered, row numbers are
// copied, never keys. Matrix and table grow by 16 positions of every hypothesis.
//
// Cross-attention. Each sublayer has the rows [key | value] of all source tokens, computed once; a
// hypothesis reads those of its sentence. A sentence that is finished leaves when no hypothesis
// refers to it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/base/growing_memory.h"
#include "autograd/ops/attention.h"

namespace heddle {

/// A matrix that grows by rows and keeps its storage.
class CachedRows {
 public:
  /// Empty, of rows with `width` columns; storage is kept.
  void reset(std::int64_t width, DType dtype);
  /// Makes room for `rows` rows in all; what is there stays.
  void grow(std::int64_t rows);
  /// Copies `columns` columns of `from` into the rows from `row` on, to column `first`.
  void write(std::int64_t row, std::int64_t first, const Columns& from, std::int64_t columns);
  /// Rows [0, count) as a tensor of the running step.
  Tensor view(Context& context, std::int64_t count) const;

 private:
  std::int64_t width_ = 0;
  DType dtype_ = DType::kFloat32;
  GrowingMemory storage_;
};

class DecoderCache {
 public:
  static constexpr std::int32_t kBlock = 16;  // positions

  /// How many cached sublayers a decoder has, and how wide a row [key | value] of each is.
  struct Layout {
    std::vector<std::int64_t> self_widths, cross_widths;

    friend bool operator==(const Layout&, const Layout&) = default;
  };

  /// A new translation: one hypothesis for each sentence of the source, nothing decoded.
  void begin(const Layout& layout, Sequences source, DType dtype);
  /// Hypothesis i continues from what was hypothesis parents[i]. Hypotheses may be repeated, left
  /// out and reordered; there may be more than before.
  void select(std::span<const std::int32_t> parents);

  const Layout& layout() const { return layout_; }
  std::int64_t hypotheses() const { return static_cast<std::int64_t>(past_.size()); }
  /// Tokens that hypothesis i has so far.
  std::int32_t length(std::int64_t i) const { return past_[static_cast<std::size_t>(i)].length; }
  /// The sentence of the source that hypothesis i translates.
  std::int32_t sentence(std::int64_t i) const { return sentence_[static_cast<std::size_t>(i)]; }

  /// Gives the new tokens, `sequences[i]` those of hypothesis i, rows and places in the ancestry.
  void extend(Sequences sequences);
  /// The positions of the first new tokens, per hypothesis.
  std::span<const std::int32_t> first_positions() const { return first_positions_; }

  /// What attention reads: hypothesis i sees the rows rows[j] of key and value, for j in keys[i].
  struct KeyValues {
    Columns key, value;
    Sequences keys;
    std::span<const std::int32_t> rows;
  };
  /// Stores key and value of the new tokens in a self-attention sublayer; all tokens so far.
  KeyValues store_self(Context& context, std::size_t index, const Columns& key,
                       const Columns& value);
  /// The source tokens in a cross-attention sublayer.
  KeyValues cross(Context& context, std::size_t index) const;
  /// Stores those of the source tokens from `first_row` on, [tokens, key | value].
  void store_cross(std::size_t index, std::int64_t first_row, const Tensor& projection);

 private:
  // Makes room for `positions` in the ancestry of every hypothesis.
  void widen(std::int32_t positions);
  // What of each hypothesis is to be rebuilt after a change of `sentence_`.
  void find_sources();

  Layout layout_;
  std::vector<CachedRows> self_, cross_;
  std::int64_t rows_ = 0;      // of self_ that are taken
  std::int64_t capacity_ = 0;  // of self_
  std::int64_t new_rows_ = 0;  // the first of those that the last extend() took
  std::int32_t stride_ = 0;    // positions that a hypothesis has room for in the ancestry
  std::vector<std::int32_t> ancestry_, old_ancestry_;  // [hypotheses, stride_]
  std::vector<Sequence> past_, old_past_;              // in ancestry_, per hypothesis
  std::vector<std::int32_t> first_positions_;
  std::vector<std::int32_t> sentence_, old_sentence_;  // per hypothesis
  std::vector<Sequence> source_;                       // rows of cross_, per sentence
  std::vector<Sequence> source_of_;                    // the same, per hypothesis
  std::vector<std::int32_t> source_rows_;              // 0, 1, 2, ...
};

}  // namespace heddle
