#include "train/lane_batch.h"

namespace heddle {

void LaneBatch::fill(const PackedPairs& pairs, int lanes, MicroBatch& examples) {
  split_.split(pairs, lanes);
  lanes_.resize(static_cast<std::size_t>(lanes));
  examples.clear();
  for (int lane = 0; lane < lanes; ++lane) {
    PackedPairs& packed = lanes_[static_cast<std::size_t>(lane)];
    pack(pairs, split_[lane], packed);
    const Sequences source(packed.source), target(packed.target);
    examples.push_back(
        {{packed.source_ids, source}, {packed.target_input, target}, packed.target_output});
  }
}

}  // namespace heddle
