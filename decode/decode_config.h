// The section "decode" of a config: how outputs are found.
#pragma once

#include <cstdint>

#include "configs/config.h"

namespace heddle {

/// How many tokens, the end included, an output may have: factor * source tokens + extra.
struct LengthLimit {
  double factor = 2.0;
  std::int64_t extra = 50;

  LengthLimit() = default;
  /// Reads "factor" and "extra" of the object "max_length".
  explicit LengthLimit(const Config& decode);

  /// At least 1. `source_tokens` count the end.
  std::int32_t tokens(std::int64_t source_tokens) const;
};

inline constexpr int kLargestBeam = 256;

struct DecodeConfig {
  explicit DecodeConfig(const Config& decode);

  LengthLimit limit;
  int beam = 1;
  double length_penalty = 1.0;
};

}  // namespace heddle
