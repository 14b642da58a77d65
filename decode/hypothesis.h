// What decoding finds, and the memory that it works in.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "layers/transformer.h"

namespace heddle {

struct Hypothesis {
  std::vector<std::int32_t> ids;  // without start and end
  double log_probability = 0.0;   // of all its tokens, the end included where it is there
  double score = 0.0;             // by which hypotheses are compared: normalised_score()
  bool finished = false;          // it ends; otherwise the limit cut it off

  /// The end counted, where it is there.
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()) + (finished ? 1 : 0); }
};

/// log-probability / tokens^length_penalty, the end counted: 0 compares probabilities, which
/// prefers short outputs, 1 the mean per token (Wu et al. 2016; the form is that of Hugging Face).
inline double normalised_score(double log_probability, std::int64_t tokens, double length_penalty) {
  return log_probability / std::pow(static_cast<double>(tokens), length_penalty);
}

/// The memory of decoding, used again from batch to batch.
struct DecodingSpace {
  explicit DecodingSpace(int threads = 1) : context(threads) {}

  Context context;
  DecoderCache cache;
};

}  // namespace heddle
