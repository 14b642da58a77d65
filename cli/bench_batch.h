// The batch of `heddle bench`: random sentences, dealt out to lanes as training deals them out.
#pragma once

#include "autograd/base/vocabulary.h"
#include "cli/bench_shapes.h"
#include "train/lane_batch.h"

namespace heddle {

class BenchBatch {
 public:
  /// The same sentences for the same arguments. Source and target share the vocabulary.
  BenchBatch(const BenchSentences& sentences, const Vocabulary& vocabulary, int lanes);

  /// Points into this object.
  const MicroBatch& examples() const { return examples_; }

 private:
  LaneBatch batch_;
  MicroBatch examples_;
};

}  // namespace heddle
