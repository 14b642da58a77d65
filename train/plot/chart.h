// A chart as SVG: lines over updates, a title with its unit, a row of text for each of its curves.
//
// Colours and widths come from the style sheet around it (page.h), so that one drawing serves a
// light and a dark page. Sizes are in units of the view box.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/run_history.h"

namespace heddle {

/// How a line is drawn: one of kColours, and again with dashes where there are more.
struct LineStyle {
  static constexpr std::size_t kColours = 6, kDashes = 3;
  std::size_t number = 0;
  bool thin = false;

  /// Its classes in the style sheet.
  std::string classes() const;
};

struct PlotLine {
  LineStyle style;
  std::string name;   // in tooltips
  std::string label;  // of its row; a line without one shares the row of the line before
  Curve curve;        // with at least one number
  std::optional<std::int64_t> best;  // the update that is marked
};

struct Chart {
  std::string title, unit;
  bool from_zero = false;  // the axis of values begins there
  std::vector<PlotLine> lines;
};

/// What the charts of a page have in common.
struct ChartFrame {
  static constexpr double kWidth = 560.0;
  std::int64_t last_update = 1;  // where their axes end
  std::size_t rows = 1;          // of text, at most, that a chart has
  bool tooltips = true;

  double height() const;
};

/// The rows of text of a chart.
std::size_t rows_of(const Chart& chart);

/// The chart as elements of an <svg> of frame.kWidth times frame.height().
std::string drawn(const Chart& chart, const ChartFrame& frame);

}  // namespace heddle
