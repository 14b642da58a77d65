// The axes of a chart: where they begin and end, where their ticks stand, how numbers are written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

struct Axis {
  double low = 0.0, high = 1.0;  // low < high
  double step = 1.0;             // between ticks: 1, 2 or 5 times a power of ten

  /// All multiples of the step from low to high.
  std::vector<double> ticks() const;
};

/// The least step of 1, 2 or 5 times a power of ten of which `span` > 0 holds at most `most`.
double tick_step(double span, int most);

/// An axis from tick to tick that holds the values from `low` to `high`, with at most `most` + 2
/// steps. Values that are all the same, but for rounding, get room on both sides.
Axis value_axis(double low, double high, int most);

/// An axis from 0 to the last update, with whole ticks.
Axis update_axis(std::int64_t last, int most);

/// A tick's label with the digits that its step needs: 2k, 1.5M, 0.05, 5e-5.
std::string tick_label(double value, double step);

/// A value with four significant digits, the whole part in full: 11747, 2.346, 0.000125, 5e-5.
std::string value_label(double value);

/// With so many decimals at most, none that are zeros at the end: 2, 2.5.
std::string decimal(double value, int decimals);

}  // namespace heddle
