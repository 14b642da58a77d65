#include "train/micro_batches.h"

namespace heddle {

void MicroBatches::clear() {
  packed_count_ = count_ = 0;
}

Examples MicroBatches::packed(const PackedPairs& pairs, std::span<const std::int32_t> which) {
  if (packed_count_ == packed_.size()) packed_.emplace_back();
  PackedPairs& to = packed_[packed_count_++];
  pack(pairs, which, to);
  const Sequences source(to.source), target(to.target);
  return {{to.source_ids, source}, {to.target_input, target}, to.target_output};
}

void MicroBatches::add(const PackedPairs& pairs) {
  split_.split(pairs, lanes_);
  const std::size_t first = count_;
  for (int lane = 0; lane < lanes_; ++lane) {
    cut(pairs, split_[lane], lane_tokens_, pieces_);
    while (count_ < first + pieces_.size()) {
      if (count_ == micro_batches_.size()) micro_batches_.emplace_back();
      micro_batches_[count_++].assign(static_cast<std::size_t>(lanes_), Examples{});
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      micro_batches_[first + i][static_cast<std::size_t>(lane)] = packed(pairs, pieces_[i]);
    }
  }
}

}  // namespace heddle
