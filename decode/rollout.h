// Outputs that grow each on its own, by one token at a step: what greedy decoding and sampling
// share. Finished outputs leave the batch at once.
#pragma once

#include <functional>
#include <vector>

#include "decode/candidates.h"
#include "decode/decode_config.h"
#include "decode/decoding.h"

namespace heddle {

/// Which output grows: number `copy` of those of a sentence, which has `position` tokens so far.
struct Growing {
  std::size_t sentence, copy;
  std::int32_t position;
};

/// Chooses what comes next from a row of logits, which it may use up.
using ChooseToken =
    std::function<Candidate(const Tensor& logits, std::int64_t row, const Growing& output)>;

/// `copies` hypotheses for each sentence, those of a sentence side by side; scores are left open.
/// Tokens of a prefix have their log-probability only where the input asks for it.
std::vector<Hypothesis> roll_out(const Transformer& transformer, const DecodingInput& input,
                                 std::size_t copies, const LengthLimit& limit,
                                 const ChooseToken& choose, DecodingSpace& space);

}  // namespace heddle
