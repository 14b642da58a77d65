// Greedy decoding of a batch: at every step each sentence takes the token that the model thinks
// most likely. Finished sentences leave the batch at once.
#pragma once

#include <vector>

#include "decode/decode_config.h"
#include "decode/decoding.h"

namespace heddle {

/// One hypothesis for each sentence, in their order; its score is left open, and its
/// log-probability is NaN unless the input asks for it.
std::vector<Hypothesis> greedy(const Transformer& transformer, const DecodingInput& input,
                               const LengthLimit& limit, DecodingSpace& space);

}  // namespace heddle
