#include "autograd/base/random.h"

#include <cmath>
#include <numbers>

namespace heddle {

std::array<double, 2> normal_pair(const PhiloxCounter& bits) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - unit_interval(bits[0], bits[1])));
  const double angle = 2.0 * std::numbers::pi * unit_interval(bits[2], bits[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace heddle
