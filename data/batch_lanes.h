// The sentences of a batch dealt out to lanes, each with about the same work.
//
// The largest sentence goes first, each to the lane with the least work so far (Graham 1969: at
// most a third over the best split); the batch alone decides. The work of a pair is its tokens, and
// a little for attention, which grows with their square.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/batch.h"

namespace heddle {

/// Meant to be used again: then splitting allocates nothing.
class LaneSplit {
 public:
  /// Deals out the pairs to lanes 0 to `lanes` - 1. Where there are fewer pairs than lanes, the
  /// last lanes get none.
  void split(const PackedPairs& pairs, int lanes);

  /// The pairs of a lane, in the order of the batch.
  std::span<const std::int32_t> operator[](int lane) const {
    return sentences_[static_cast<std::size_t>(lane)];
  }
  std::int64_t work(int lane) const { return work_[static_cast<std::size_t>(lane)]; }

 private:
  std::vector<std::vector<std::int32_t>> sentences_;
  std::vector<std::int64_t> work_;       // of each lane
  std::vector<std::int64_t> pair_work_;  // of each pair
  std::vector<std::int32_t> order_;
};

/// Cuts the pairs `which` into pieces of about the same size, in their order: each has at most
/// `most_tokens` of sources and as many of targets, or is a single pair.
void cut(const PackedPairs& pairs, std::span<const std::int32_t> which, std::int64_t most_tokens,
         std::vector<std::span<const std::int32_t>>& pieces);

/// These pairs alone, in their order, in `lane`.
void pack(const PackedPairs& pairs, std::span<const std::int32_t> which, PackedPairs& lane);

}  // namespace heddle
