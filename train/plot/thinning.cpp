#include "train/plot/thinning.h"

#include <cmath>
#include <set>

namespace heddle {

namespace {

/// Appends the least, the greatest and the first gap of [begin, end), in their order.
void append_extremes(const Curve& curve, std::size_t begin, std::size_t end, Curve& kept) {
  std::optional<std::size_t> least, greatest, gap;
  for (std::size_t i = begin; i < end; ++i) {
    const double value = curve[i].value;
    if (std::isnan(value)) {
      if (!gap) gap = i;
      continue;
    }
    if (!least || value < curve[*least].value) least = i;
    if (!greatest || value > curve[*greatest].value) greatest = i;
  }
  std::set<std::size_t> indices;
  for (const auto& index : {least, greatest, gap}) {
    if (index) indices.insert(*index);
  }
  for (const std::size_t i : indices) kept.push_back(curve[i]);
}

}  // namespace

Curve thinned(const Curve& curve, std::size_t most) {
  if (curve.size() <= most) return curve;
  const std::size_t stretches = (most - 2) / 3, inner = curve.size() - 2;
  Curve kept = {curve.front()};
  for (std::size_t i = 0; i < stretches; ++i) {
    append_extremes(curve, 1 + inner * i / stretches, 1 + inner * (i + 1) / stretches, kept);
  }
  kept.push_back(curve.back());
  return kept;
}

}  // namespace heddle
