// Outputs drawn at random from what the model thinks likely.
//
// A token is drawn from softmax(logits / temperature), restricted to the `top_k` likeliest (Fan et
// al. 2018) and then to the fewest that together have the probability `top_p` of what is left
// ("nucleus", Holtzman et al. 2020). A draw is a function of (seed, line, output, position) alone:
// neither the batch nor the number of threads changes it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "decode/candidates.h"
#include "decode/decode_config.h"
#include "decode/decoding.h"

namespace heddle {

struct SamplingOptions {
  double temperature = 1.0;  // above 0
  int top_k = 0;             // 0: all
  double top_p = 1.0;        // in (0, 1]
  std::uint64_t seed = 1;
};

/// Draws from rows of logits.
class TokenSampler {
 public:
  /// Throws for options that are out of range.
  explicit TokenSampler(const SamplingOptions& options);

  /// A token of row `row` of `logits` [rows, classes] by `uniform` in [0, 1). Its log-probability
  /// is the model's own, at temperature 1 and without restriction. Throws NumericError where the
  /// scores are no numbers.
  Candidate operator()(const Tensor& logits, std::int64_t row, double uniform);

 private:
  template <class T>
  double weigh(std::span<const T> scores, double largest);
  template <class T>
  void restrict(std::span<const T> scores);
  double total_weight() const;
  std::int32_t pick(double uniform) const;

  SamplingOptions options_;
  std::vector<double> weights_;      // exp((score - largest) / temperature), by id
  std::vector<std::int32_t> order_;  // ids that may be drawn, the likeliest first
};

/// `outputs` hypotheses for each sentence, those of a sentence side by side in the order of their
/// drawing; scores are left open. `lines` are the numbers that the sentences are known by.
std::vector<Hypothesis> sample(const Transformer& transformer, const DecodingInput& input,
                               std::span<const std::uint64_t> lines, std::size_t outputs,
                               const SamplingOptions& options, const LengthLimit& limit,
                               DecodingSpace& space);

}  // namespace heddle
