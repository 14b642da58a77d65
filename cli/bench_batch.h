// The batch of `heddle bench`: random sentences, dealt out to lanes as training deals them out.
#pragma once

#include "autograd/base/vocabulary.h"
#include "cli/bench_shapes.h"
#include "train/micro_batches.h"

namespace heddle {

class BenchBatch {
 public:
  /// The same sentences for the same arguments. Source and target share the vocabulary.
  BenchBatch(const BenchSentences& sentences, const Vocabulary& vocabulary, int lanes,
             std::int64_t lane_tokens);

  /// Points into this object.
  std::span<const MicroBatch> micro_batches() const { return micro_batches_.all(); }

 private:
  MicroBatches micro_batches_;
};

}  // namespace heddle
