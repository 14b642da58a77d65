// Greedy decoding of a batch: at every step each sentence takes the token that the model thinks
// most likely. Finished sentences leave the batch at once.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/decode_config.h"
#include "layers/transformer.h"

namespace heddle {

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
