// Greedy decoding of a batch: at every step each sentence takes the token that the model thinks
// most likely. Finished sentences leave the batch at once.
#pragma once

#include <cstdint>
#include <vector>

#include "configs/config.h"
#include "layers/transformer.h"

namespace heddle {

/// How many tokens, the end included, an output may have: factor * source tokens + extra.
struct LengthLimit {
  double factor = 2.0;
  std::int64_t extra = 50;

  LengthLimit() = default;
  /// Reads "factor" and "extra" of the object "max_length".
  explicit LengthLimit(const Config& decode);

  /// At least 1. `source_tokens` count the end.
  std::int32_t tokens(std::int64_t source_tokens) const;
};

struct Hypothesis {
  std::vector<std::int32_t> ids;  // without start and end
  double log_probability = 0.0;   // of all its tokens, the end included where it is there
  bool finished = false;          // it ends; otherwise the limit cut it off
};

/// The memory of decoding, used again from batch to batch.
struct DecodingSpace {
  explicit DecodingSpace(int threads = 1) : context(threads) {}

  Context context;
  DecoderCache cache;
};

/// One hypothesis for each sentence of `source`, in its order.
std::vector<Hypothesis> greedy(const Transformer& transformer, const Tokens& source,
                               const LengthLimit& limit, DecodingSpace& space);

}  // namespace heddle
