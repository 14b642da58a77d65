#include "layers/cache.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace heddle {

void CachedRows::reset(std::int64_t width, DType dtype) {
  width_ = width;
  dtype_ = dtype;
}

void CachedRows::grow(std::int64_t rows) {
  storage_.grow(static_cast<std::size_t>(rows * width_) * size_of(dtype_));
}

void CachedRows::write(std::int64_t row, std::int64_t first, const Columns& from,
                       std::int64_t columns) {
  const auto bytes = [&](std::int64_t count) {
    return static_cast<std::size_t>(count) * size_of(dtype_);
  };
  const auto* source = static_cast<const std::byte*>(from.matrix.data) + bytes(from.first);
  std::byte* place = storage_.data() + bytes(row * width_ + first);
  for (std::int64_t i = 0; i < from.matrix.shape[0]; ++i) {
    std::memcpy(place, source, bytes(columns));
    source += bytes(from.matrix.shape.columns());
    place += bytes(width_);
  }
}

Tensor CachedRows::view(Context& context, std::int64_t count) const {
  return context.view(storage_.data(), {count, width_}, dtype_);
}

void DecoderCache::begin(const Layout& layout, Sequences source, DType dtype) {
  layout_ = layout;
  self_.resize(layout.self_widths.size());
  cross_.resize(layout.cross_widths.size());
  for (std::size_t i = 0; i < self_.size(); ++i) self_[i].reset(layout.self_widths[i], dtype);
  for (std::size_t i = 0; i < cross_.size(); ++i) cross_[i].reset(layout.cross_widths[i], dtype);
  rows_ = capacity_ = stride_ = 0;
  source_.assign(source.begin(), source.end());
  source_rows_.resize(static_cast<std::size_t>(total_length(source)));
  std::iota(source_rows_.begin(), source_rows_.end(), 0);
  sentence_.resize(source.size());
  std::iota(sentence_.begin(), sentence_.end(), 0);
  past_.assign(source.size(), {0, 0});
  first_positions_.assign(source.size(), 0);
  find_sources();
}

void DecoderCache::find_sources() {
  source_of_.clear();
  for (const std::int32_t s : sentence_) source_of_.push_back(source_[static_cast<std::size_t>(s)]);
}

void DecoderCache::select(std::span<const std::int32_t> parents) {
  for (const std::int32_t parent : parents) {
    check(parent >= 0 && parent < hypotheses(), "decoder cache: there is no hypothesis ", parent,
          " among ", hypotheses());
  }
  ancestry_.swap(old_ancestry_);
  past_.swap(old_past_);
  sentence_.swap(old_sentence_);
  ancestry_.assign(parents.size() * static_cast<std::size_t>(stride_), 0);
  past_.clear();
  sentence_.clear();
  for (const std::int32_t parent : parents) {
    const Sequence old = old_past_[static_cast<std::size_t>(parent)];
    const auto begin = static_cast<std::int32_t>(past_.size()) * stride_;
    std::copy_n(old_ancestry_.begin() + old.begin, old.length, ancestry_.begin() + begin);
    past_.push_back({begin, old.length});
    sentence_.push_back(old_sentence_[static_cast<std::size_t>(parent)]);
  }
  find_sources();
}

void DecoderCache::widen(std::int32_t positions) {
  if (positions <= stride_) return;
  const std::int32_t stride = (positions + kBlock - 1) / kBlock * kBlock;
  ancestry_.swap(old_ancestry_);
  ancestry_.assign(past_.size() * static_cast<std::size_t>(stride), 0);
  for (std::size_t i = 0; i < past_.size(); ++i) {
    const auto begin = static_cast<std::int32_t>(i) * stride;
    std::copy_n(old_ancestry_.begin() + past_[i].begin, past_[i].length, ancestry_.begin() + begin);
    past_[i].begin = begin;
  }
  stride_ = stride;
}

void DecoderCache::extend(Sequences sequences) {
  check(sequences.size() == past_.size(), "decoder cache: new tokens for ", sequences.size(),
        " hypotheses, but there are ", past_.size());
  check_sequences("decoder cache", sequences, total_length(sequences));
  std::int32_t longest = 0;
  for (std::size_t i = 0; i < past_.size(); ++i) {
    longest = std::max(longest, past_[i].length + sequences[i].length);
  }
  widen(longest);
  new_rows_ = rows_;
  rows_ += total_length(sequences);
  if (rows_ > capacity_) {
    const std::int64_t capacity = rows_ + kBlock * hypotheses();
    for (CachedRows& rows : self_) rows.grow(capacity);
    capacity_ = capacity;
  }
  first_positions_.clear();
  for (std::size_t i = 0; i < past_.size(); ++i) {
    Sequence& past = past_[i];
    first_positions_.push_back(past.length);
    const auto place = ancestry_.begin() + past.begin + past.length;
    std::iota(place, place + sequences[i].length,
              static_cast<std::int32_t>(new_rows_) + sequences[i].begin);
    past.length += sequences[i].length;
  }
}

DecoderCache::KeyValues DecoderCache::store_self(Context& context, std::size_t index,
                                                 const Columns& key, const Columns& value) {
  const std::int64_t width = layout_.self_widths[index] / 2;
  self_[index].write(new_rows_, 0, key, width);
  self_[index].write(new_rows_, width, value, width);
  const Tensor all = self_[index].view(context, rows_);
  return {{all, 0}, {all, width}, past_, ancestry_};
}

DecoderCache::KeyValues DecoderCache::cross(Context& context, std::size_t index) const {
  const Tensor all = cross_[index].view(context, static_cast<std::int64_t>(source_rows_.size()));
  return {{all, 0}, {all, layout_.cross_widths[index] / 2}, source_of_, source_rows_};
}

void DecoderCache::store_cross(std::size_t index, std::int64_t first_row,
                               const Tensor& projection) {
  const auto rows = static_cast<std::int64_t>(source_rows_.size());
  check(first_row >= 0 && first_row + projection.shape[0] <= rows,
        "decoder cache: ", projection.shape, " are not the keys and values of source tokens from ",
        first_row, " on of ", rows);
  cross_[index].grow(rows);
  cross_[index].write(first_row, 0, {projection}, layout_.cross_widths[index]);
}

}  // namespace heddle
