// What decoding is given, what it finds, and the space that it works in.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "decode/decode_config.h"
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

/// A batch to decode.
struct DecodingInput {
  Tokens source;
  /// What the outputs of each sentence must begin with; none at all where nothing is asked for.
  std::span<const std::vector<std::int32_t>> prefixes;
  /// Whether somebody looks at log-probabilities. Greedy decoding is faster without; then those of
  /// its outputs, and of outputs with a prefix, are NaN.
  bool scores = true;

  DecodingInput(const Tokens& tokens = {},
                std::span<const std::vector<std::int32_t>> output_prefixes = {})
      : source(tokens), prefixes(output_prefixes) {}

  std::span<const std::int32_t> prefix(std::size_t sentence) const {
    return prefixes.empty() ? std::span<const std::int32_t>() : prefixes[sentence];
  }
  /// Tokens that an output of the sentence may have, its prefix on top of what the limit allows.
  std::int32_t limit(std::size_t sentence, const LengthLimit& limit,
                     const Transformer& transformer) const {
    const std::int64_t most = limit.tokens(source.sequences[sentence].length) +
                              static_cast<std::int64_t>(prefix(sentence).size());
    return static_cast<std::int32_t>(std::min<std::int64_t>(most, transformer.longest_target()));
  }
};

/// Of an output there is room for so many from the start; longer ones allocate as they grow.
inline constexpr std::int32_t kReservedTokens = 1024;

/// The space of decoding, used again from batch to batch.
struct DecodingSpace {
  explicit DecodingSpace(int threads = 1)
      : own(std::make_unique<Context>(threads)), context(*own) {}
  /// In the context of somebody else, who does not use it meanwhile.
  explicit DecodingSpace(Context& lent) : context(lent) {}

  std::unique_ptr<Context> own;
  Context& context;
  DecoderCache cache;
};

}  // namespace heddle
