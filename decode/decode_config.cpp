#include "decode/decode_config.h"

#include <algorithm>

namespace heddle {

LengthLimit::LengthLimit(const Config& decode) {
  const Config limit = decode.object("max_length", "Where an output that does not end is cut off.");
  factor = limit.number("factor", factor, {.least = 0.0, .most = 1000.0},
                        "Tokens of the output per token of the source.");
  extra = limit.integer("extra", extra, {1, 1 << 20}, "Tokens on top of that.");
}

std::int32_t LengthLimit::tokens(std::int64_t source_tokens) const {
  const double most = factor * static_cast<double>(source_tokens) + static_cast<double>(extra);
  return static_cast<std::int32_t>(std::clamp(most, 1.0, 1e9));
}

DecodeConfig::DecodeConfig(const Config& decode) : limit(decode) {
  beam = static_cast<int>(decode.integer("beam", beam, {1, kLargestBeam},
                                         "Hypotheses that compete; 1 is greedy search."));
  length_penalty = decode.number("length_penalty", length_penalty, {.least = 0.0, .most = 10.0},
                                 "Hypotheses compete by log-probability / tokens^this.");
}

}  // namespace heddle
