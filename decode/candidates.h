// The likeliest next tokens of a hypothesis.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensor.h"

namespace heddle {

struct Candidate {
  std::int32_t id;
  double log_probability;
};

/// The `count` likeliest of row `row` of `logits` [rows, classes], or all if there are fewer; the
/// likeliest first, of equals the smaller id. The row is used up: its values are lost. Throws
/// NumericError where the scores are no numbers.
void best_candidates(const Tensor& logits, std::int64_t row, std::size_t count,
                     std::vector<Candidate>& best);

/// Token `id` as the continuation. The row is used up.
Candidate candidate_of(const Tensor& logits, std::int64_t row, std::int32_t id);

/// Throws NumericError unless the log of the sum of exp(scores) is finite.
void check_scores(double logsumexp);

}  // namespace heddle
