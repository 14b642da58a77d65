// Beam search: of each sentence the best unfinished hypotheses go on side by side.
//
// At every step the 2 * beam likeliest continuations of a sentence are looked at. Those that end
// and are among the first `beam` are kept as finished, the first `beam` of the others go on. A
// sentence is done when it has `beam` finished ones and the best that goes on could not beat the
// worst of them at its present length, or at the limit, where what has not ended counts as it is:
// the rules of Hugging Face's generate() with early_stopping=False. Sentences that are done leave
// the batch; the cache follows the hypotheses by row numbers (layers/cache.h).
#pragma once

#include <vector>

#include "decode/decode_config.h"
#include "decode/decoding.h"

namespace heddle {

struct BeamOptions {
  int beam = 5;
  double length_penalty = 1.0;
  LengthLimit limit;
};

/// For each sentence up to `beam` hypotheses, the best first; at least one. What a
/// sentence gets does not depend on the others. With a beam of 1 that is greedy decoding.
std::vector<std::vector<Hypothesis>> beam_search(const Transformer& transformer,
                                                 const DecodingInput& input,
                                                 const BeamOptions& options, DecodingSpace& space);

}  // namespace heddle
