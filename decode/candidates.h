// The likeliest next tokens of a hypothesis.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "autograd/tensor.h"

namespace heddle {

struct Candidate {
  std::int32_t id;
  double log_probability;
};

/// The log-probability of what nobody asked the score of.
inline constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();

/// The `count` likeliest of row `row` of `logits` [rows, classes], or all if there are fewer; the
/// likeliest first, of equals the smaller id. The row is used up: its values are lost. Throws
/// NumericError where the scores are no numbers.
void best_candidates(const Tensor& logits, std::int64_t row, std::size_t count,
                     std::vector<Candidate>& best);

/// The likeliest alone, of equals the smallest id: for less work. Throws NumericError where the
/// scores are no numbers.
std::int32_t likeliest(const Tensor& logits, std::int64_t row);

/// Token `id` as the continuation. The row is used up.
Candidate candidate_of(const Tensor& logits, std::int64_t row, std::int32_t id);

/// Throws NumericError unless the sum, which is of a row's scores, is finite.
void check_scores(double sum);

}  // namespace heddle
