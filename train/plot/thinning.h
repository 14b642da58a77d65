// Curves of any length, drawn with a bounded number of points.
#pragma once

#include <cstddef>

#include "train/run_history.h"

namespace heddle {

/// The curve itself where it has at most `most` points, else a part of it that looks the same: the
/// first and the last point, and of each of (most - 2) / 3 equal stretches the least, the greatest
/// and the first gap. `most` is at least 5.
Curve thinned(const Curve& curve, std::size_t most);

}  // namespace heddle
