#include "train/plot/thinning.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace heddle;

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

Curve waves(std::int64_t points) {
  Curve curve;
  for (std::int64_t i = 1; i <= points; ++i) {
    curve.push_back({i * 10, std::sin(static_cast<double>(i) * 0.7)});
  }
  return curve;
}

bool has(const Curve& curve, std::int64_t update) {
  return std::ranges::count(curve, update, &CurvePoint::update) == 1;
}

}  // namespace

TEST_CASE("plot thinning: a curve of few points stays as it is") {
  CHECK(thinned({}, 1000).empty());
  CHECK(thinned(waves(1000), 1000).size() == 1000);
  CHECK(thinned(waves(1001), 1000).size() < 1000);
}

TEST_CASE("plot thinning: spikes, gaps and both ends survive, in their order") {
  Curve curve = waves(100000);
  curve[54321].value = 50.0;
  curve[54322].value = -50.0;
  curve[777].value = kNoValue;
  const Curve thin = thinned(curve, 1000);
  CHECK(thin.size() <= 1000);
  CHECK(thin.size() > 600);
  CHECK(thin.front().update == 10);
  CHECK(thin.back().update == 1000000);
  CHECK(has(thin, 543220));
  CHECK(has(thin, 543230));
  CHECK(std::ranges::count_if(thin, [](const CurvePoint& p) { return std::isnan(p.value); }) == 1);
  CHECK(std::ranges::is_sorted(thin, std::less_equal<>{}, &CurvePoint::update));
}

TEST_CASE("plot thinning: every stretch keeps its least and its greatest") {
  const Curve curve = waves(9002);
  const Curve thin = thinned(curve, 302);  // stretches of 90 points
  for (std::size_t begin = 1; begin + 90 <= curve.size() - 1; begin += 90) {
    CAPTURE(begin);
    const auto [least, greatest] = std::minmax_element(
        curve.begin() + static_cast<std::ptrdiff_t>(begin),
        curve.begin() + static_cast<std::ptrdiff_t>(begin + 90),
        [](const CurvePoint& a, const CurvePoint& b) { return a.value < b.value; });
    CHECK(has(thin, least->update));
    CHECK(has(thin, greatest->update));
  }
}

TEST_CASE("plot thinning: the bound holds for any mixture") {
  for (const std::int64_t points : {6, 7, 20, 999, 5000}) {
    for (const std::size_t most : {5UL, 6UL, 50UL}) {
      Curve curve = waves(points);
      for (std::size_t i = 0; i < curve.size(); i += 3) curve[i].value = kNoValue;
      CAPTURE(points);
      CAPTURE(most);
      CHECK(thinned(curve, most).size() <= most);
    }
  }
  const Curve gaps(5000, {1, kNoValue});
  CHECK(thinned(gaps, 1000).size() <= 1000);
}
