#include "train/plot/chart.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "tests/support/temporary_folder.h"
#include "tests/support/xml.h"

using namespace heddle;
using heddle::testing::contains;
using heddle::testing::count;
using heddle::testing::xml_error;

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// The places of a path in absolute numbers; "h0", which makes a dot of a point, is none.
std::vector<double> numbers_in(std::string path) {
  for (auto at = path.find("h0"); at != std::string::npos; at = path.find("h0")) {
    path.erase(at, 2);
  }
  std::ranges::replace_if(
      path, [](char c) { return c >= 'A'; }, ' ');
  std::istringstream text(path);
  std::vector<double> numbers;
  for (double number; text >> number;) numbers.push_back(number);
  return numbers;
}

Chart chart_of(const Curve& curve) {
  return {.title = "A & B",
          .unit = "<units>",
          .from_zero = false,
          .lines = {{.style = {}, .name = "run", .label = "last", .curve = curve, .best = {}}}};
}

std::string svg_of(const Chart& chart, std::int64_t last_update) {
  const std::string svg = drawn(chart, {.last_update = last_update});
  CHECK(xml_error("<svg>" + svg + "</svg>") == "");
  return svg;
}

/// The data of the path with these classes.
std::string path(const std::string& svg, const std::string& classes) {
  const std::string start = "<path class=\"" + classes + "\" d=\"";
  const std::size_t begin = svg.find(start);
  REQUIRE(begin != svg.npos);
  return svg.substr(begin + start.size(),
                    svg.find('"', begin + start.size()) - begin - start.size());
}

}  // namespace

TEST_CASE("plot chart: title and unit are escaped, points stand at their place") {
  const std::string svg = svg_of(chart_of({{0, 0.0}, {50, 10.0}, {100, 5.0}}), 100);
  CHECK(contains(svg, ">A &amp; B <tspan class=\"unit\" dx=\"5\">&lt;units&gt;</tspan></text>"));
  // 478 wide from 60 on; 220 high.
  CHECK(path(svg, "line c0 d0") == "M60 281h0L299 61L538 171");
  CHECK(path(svg, "line c0 d0 dots") == "M60 281h0M299 61h0M538 171h0");
  CHECK(contains(svg, "><title>run, update 50: 10</title></circle>"));
  CHECK(count(svg, "<title>") == 3);
  CHECK(count(drawn(chart_of({{1, 1.0}}), {.tooltips = false}), "<title>") == 0);
}

TEST_CASE("plot chart: a number that is missing leaves a gap") {
  const std::string svg =
      svg_of(chart_of({{0, 0.0}, {25, 10.0}, {50, kGap}, {75, 5.0}, {100, kGap}}), 100);
  CHECK(path(svg, "line c0 d0") == "M60 281h0L179.5 61M418.5 171h0");
  CHECK_FALSE(contains(svg, "nan"));
}

TEST_CASE("plot chart: a single point is a dot") {
  const std::string svg = svg_of(chart_of({{50, 3.0}}), 50);
  CHECK(path(svg, "line c0 d0") == path(svg, "line c0 d0 dots"));
  CHECK(path(svg, "line c0 d0").starts_with("M538 "));
  CHECK(path(svg, "line c0 d0").ends_with("h0"));
  CHECK(numbers_in(path(svg, "line c0 d0")).size() == 2);
}

TEST_CASE("plot chart: the best update is marked, where the curve has it") {
  Chart chart = chart_of({{10, 1.0}, {20, 3.0}, {30, kGap}});
  const auto rings = [&](std::optional<std::int64_t> best) {
    chart.lines[0].best = best;
    const std::string svg = svg_of(chart, 30);
    CHECK(count(svg, "guide") == count(svg, " best\""));
    return count(svg, " best\"");
  };
  CHECK(rings({}) == 0);
  CHECK(rings(20) == 1);
  CHECK(rings(30) == 0);
  CHECK(rings(25) == 0);
}

TEST_CASE("plot chart: long curves are thinned, stay in the frame and keep their spikes") {
  Curve curve;
  for (std::int64_t i = 1; i <= 100000; ++i) curve.push_back({i, static_cast<double>(i % 100)});
  curve[70000].value = 1000.0;
  const ChartFrame frame{.last_update = 100000};
  const std::string svg = drawn(chart_of(curve), frame);
  CHECK(svg.size() < 50000);
  CHECK(count(svg, "hit") <= 200);
  CHECK_FALSE(contains(svg, "dots"));
  const std::string data = path(svg, "line c0 d0");
  CHECK(contains(data, " 61L"));  // the spike is at the top
  const std::vector<double> numbers = numbers_in(data);
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
    const double x = numbers[i], y = numbers[i + 1];
    const bool inside = x >= 60.0 && x <= 538.0 && y >= 61.0 && y <= 281.0;
    if (!inside) FAIL_CHECK(x << " " << y);
  }
  CHECK(numbers.size() % 2 == 0);
  CHECK(numbers.size() > 1200);
  CHECK(numbers.size() <= 2000);
}

TEST_CASE("plot chart: lines differ by colour, and by dashes where there are more") {
  CHECK(LineStyle{0, false}.classes() == "line c0 d0");
  CHECK(LineStyle{5, true}.classes() == "line c5 d0 thin");
  CHECK(LineStyle{6, false}.classes() == "line c0 d1");
  CHECK(LineStyle{17, false}.classes() == "line c5 d2");
}

TEST_CASE("plot chart: a chart is as high as its rows of text need") {
  const ChartFrame one{.rows = 1}, three{.rows = 3};
  CHECK(three.height() > one.height());
  Chart chart = chart_of({{1, 1.0}});
  CHECK(rows_of(chart) == 1);
  chart.lines.push_back(chart.lines.front());
  CHECK(rows_of(chart) == 2);
  chart.lines.front().label.clear();
  CHECK(rows_of(chart) == 1);
  CHECK(count(drawn(chart, one), "class=\"row\"") == 1);
}
