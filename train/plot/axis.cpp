#include "train/plot/axis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace heddle {

namespace {

// Steps and quotients are not exact: a tick this part of a step beyond the end is at the end.
constexpr double kSlack = 1e-6;

/// How many decimals a multiple of the step has.
int decimals_of(double step) {
  return std::max(0, -static_cast<int>(std::floor(std::log10(step) + kSlack)));
}

template <class... Format>
std::string written(double value, Format... format) {
  std::array<char, 512> text{};  // the longest double has 309 digits before its decimals
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format...).ptr;
  return {text.data(), end};
}

/// 5e-05 as people write it: 5e-5.
std::string with_short_exponent(std::string text) {
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  const std::size_t digits = text[e + 1] == '-' ? e + 2 : e + 1;
  const std::size_t significant = text.find_first_not_of("+0", digits);
  return text.erase(digits, significant - digits);
}

}  // namespace

std::string decimal(double value, int decimals) {
  std::string text = written(value, std::chars_format::fixed, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::vector<double> Axis::ticks() const {
  std::vector<double> ticks;
  const auto first = std::llround(std::ceil(low / step - kSlack));
  const auto last = std::llround(std::floor(high / step + kSlack));
  for (auto i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

double tick_step(double span, int most) {
  const double least = span / most;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1.0 - kSlack)) return factor * power;
  }
  return 10.0 * power;
}

Axis value_axis(double low, double high, int most) {
  const double size = std::max(std::abs(low), std::abs(high));
  if (size < 1e-30) return {0.0, 1.0, tick_step(1.0, most)};
  if (high - low < 1e-9 * size) {
    low -= size / 2.0;
    high += size / 2.0;
  }
  const double step = tick_step(high - low, most);
  return {std::floor(low / step + kSlack) * step, std::ceil(high / step - kSlack) * step, step};
}

Axis update_axis(std::int64_t last, int most) {
  const double end = static_cast<double>(std::max<std::int64_t>(last, 1));
  return {0.0, end, std::max(1.0, tick_step(end, most))};
}

std::string tick_label(double value, double step) {
  if (std::abs(value) < step / 2.0) return "0";
  if (std::abs(value) >= 1e12 || step < 0.99e-4) {
    const int digits = static_cast<int>(std::floor(std::log10(std::abs(value)) + kSlack)) -
                       static_cast<int>(std::floor(std::log10(step) + kSlack));
    return with_short_exponent(written(value, std::chars_format::scientific, std::max(0, digits)));
  }
  for (const auto& [unit, suffix] :
       {std::pair(1e9, "G"), std::pair(1e6, "M"), std::pair(1e3, "k")}) {
    if (std::abs(value) < unit * (1.0 - kSlack)) continue;
    return decimal(value / unit, decimals_of(step / unit)) + suffix;
  }
  return decimal(value, decimals_of(step));
}

std::string value_label(double value) {
  if (std::abs(value) >= 1000.0 && std::abs(value) < 1e12) return decimal(value, 0);
  return with_short_exponent(written(value, std::chars_format::general, 4));
}

}  // namespace heddle
