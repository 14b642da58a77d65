// Comparing numbers so that a NaN is never overlooked: max(worst, NaN) may drop it, and so may a
// comparison that a later, finite element wins.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace heddle::testing {

/// The larger of two errors; infinite, whatever comes after, once one of them is not finite.
inline double worse_of(double worst, double error) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  return std::isfinite(worst) && std::isfinite(error) ? std::max(worst, error) : infinite;
}

/// The largest |a - b|: infinite where sizes differ or a value is not finite.
template <class A, class B>
double worst_error(const std::vector<A>& a, const std::vector<B>& b) {
  double worst = a.size() == b.size() ? 0.0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = worse_of(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return worst;
}

}  // namespace heddle::testing
