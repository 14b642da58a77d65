#include "decode/greedy.h"

#include "decode/rollout.h"

namespace heddle {

std::vector<Hypothesis> greedy(const Transformer& transformer, const DecodingInput& input,
                               const LengthLimit& limit, DecodingSpace& space) {
  std::vector<Candidate> best;
  const auto likeliest = [&](const Tensor& logits, std::int64_t row, const Growing&) {
    best_candidates(logits, row, 1, best);
    return best.front();
  };
  return roll_out(transformer, input, 1, limit, likeliest, space);
}

}  // namespace heddle
