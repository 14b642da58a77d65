// The batch of `heddle bench`: random sentences, dealt out to lanes as training deals them out.
#pragma once

#include <vector>

#include "autograd/base/vocabulary.h"
#include "cli/bench_shapes.h"
#include "data/batch.h"
#include "train/lanes.h"

namespace heddle {

class BenchBatch {
 public:
  /// The same sentences for the same arguments. Source and target share the vocabulary.
  BenchBatch(const BenchSentences& sentences, const Vocabulary& vocabulary, int lanes);

  /// Points into this object.
  MicroBatch examples() const;

 private:
  std::vector<PackedPairs> lanes_;
};

}  // namespace heddle
