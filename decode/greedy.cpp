#include "decode/greedy.h"

#include "decode/rollout.h"

namespace heddle {

std::vector<Hypothesis> greedy(const Transformer& transformer, const DecodingInput& input,
                               const LengthLimit& limit, DecodingSpace& space) {
  std::vector<Candidate> best;
  const auto choose = [&](const Tensor& logits, std::int64_t row, const Growing&) {
    if (!input.scores) return Candidate{likeliest(logits, row), kNoScore};
    best_candidates(logits, row, 1, best);
    return best.front();
  };
  return roll_out(transformer, input, 1, limit, choose, space);
}

}  // namespace heddle
