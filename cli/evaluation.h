// What `heddle evaluate` computes and prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decode/metrics/scores.h"

namespace heddle {

/// The lines that count together: all, or those of a group.
struct LineGroup {
  std::string name;  // empty: all lines, or those without a group
  std::vector<std::size_t> lines = {};
  std::vector<Score> scores = {};
};

/// How probable the references are to the model.
struct ReferenceLoss {
  double sum = 0.0;
  std::int64_t tokens = 0, left_out = 0;

  double per_token() const { return sum / static_cast<double>(tokens); }
};

struct Evaluation {
  std::vector<LineGroup> groups;  // all lines first, then groups in the order of appearance
  std::optional<ReferenceLoss> loss;

  /// A line for each score, stable for scripts: label, value, what it is made of, signature.
  std::string text() const;
  std::string json() const;
};

/// All lines, and the lines of each name in `groups`, which may be empty.
std::vector<LineGroup> grouped(std::size_t lines, const std::vector<std::string>& groups);

}  // namespace heddle
