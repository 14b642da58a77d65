// A batch, dealt out to lanes and packed for each: what Lanes takes.
#pragma once

#include <vector>

#include "data/batch_lanes.h"
#include "train/lanes.h"

namespace heddle {

/// Holds what the examples refer to. Meant to be used again: then filling allocates nothing.
class LaneBatch {
 public:
  /// The examples of each lane, valid until the next call.
  void fill(const PackedPairs& pairs, int lanes, MicroBatch& examples);

 private:
  LaneSplit split_;
  std::vector<PackedPairs> lanes_;
};

}  // namespace heddle
