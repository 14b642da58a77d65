// The batches of an update, dealt out to lanes and packed for each, in micro-batches so small that
// the activations of a lane stay within bounds: what Lanes takes.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "data/batch_lanes.h"
#include "train/lanes.h"

namespace heddle {

/// Holds what the examples refer to. Meant to be used again: then adding allocates nothing.
class MicroBatches {
 public:
  /// A lane computes at most `lane_tokens` of sources and as many of targets at once, or one pair.
  MicroBatches(int lanes, std::int64_t lane_tokens) : lanes_(lanes), lane_tokens_(lane_tokens) {}
  MicroBatches(const MicroBatches&) = delete;  // its examples point into it
  MicroBatches& operator=(const MicroBatches&) = delete;

  void clear();
  void add(const PackedPairs& pairs);

  /// All that was added, valid until the next clear() or add().
  std::span<const MicroBatch> all() const { return std::span(micro_batches_).first(count_); }

 private:
  Examples packed(const PackedPairs& pairs, std::span<const std::int32_t> which);

  int lanes_;
  std::int64_t lane_tokens_;
  LaneSplit split_;
  std::vector<std::span<const std::int32_t>> pieces_;
  std::deque<PackedPairs> packed_;  // that of each examples; a deque, since they refer to it
  std::vector<MicroBatch> micro_batches_;
  std::size_t packed_count_ = 0, count_ = 0;  // of these, in use
};

}  // namespace heddle
