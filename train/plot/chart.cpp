#include "train/plot/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "train/plot/axis.h"
#include "train/plot/thinning.h"
#include "train/plot/xml.h"

namespace heddle {

namespace {

constexpr std::size_t kMostPoints = 1000;  // of a line
constexpr std::size_t kMostTooltips = 200;
constexpr std::size_t kMostDots = 60;  // a line with more points is drawn without dots

constexpr double kLeft = 60.0, kRight = 22.0, kBottom = 40.0;
constexpr double kTitle = 24.0, kRow = 17.0;  // the title's baseline; the height of a row of text
constexpr double kPlotHeight = 220.0;
constexpr double kTopOfRows = kTitle + 6.0, kGap = 14.0;  // between the rows and the plot

std::string number(double value) {
  return decimal(value, 1);
}

struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -low;
};

Bounds bounds_of(const Chart& chart) {
  Bounds bounds;
  for (const PlotLine& line : chart.lines) {
    for (const CurvePoint& point : line.curve) {
      if (std::isnan(point.value)) continue;
      bounds.low = std::min(bounds.low, point.value);
      bounds.high = std::max(bounds.high, point.value);
    }
  }
  if (chart.from_zero) bounds.low = std::min(bounds.low, 0.0);
  return bounds;
}

/// Draws one chart; knows where a point of a curve is.
class Drawing {
 public:
  Drawing(const Chart& chart, const ChartFrame& frame)
      : chart_(chart),
        frame_(frame),
        top_(kTopOfRows + kRow * static_cast<double>(frame.rows) + kGap),
        updates_(update_axis(frame.last_update, 8)),
        values_(value_axis(bounds_of(chart).low, bounds_of(chart).high, 8)) {}

  std::string svg() {
    draw_title();
    draw_axes();
    for (const PlotLine& line : chart_.lines) draw(line);
    if (frame_.tooltips) {
      for (const PlotLine& line : chart_.lines) add_tooltips(line);
    }
    for (const PlotLine& line : chart_.lines) mark_best(line);  // above all else
    return svg_.str();
  }

 private:
  double x(std::int64_t update) const {
    const double width = ChartFrame::kWidth - kLeft - kRight;
    return kLeft + width * static_cast<double>(update) / updates_.high;
  }
  double y(double value) const {
    return top_ + kPlotHeight * (values_.high - value) / (values_.high - values_.low);
  }
  double bottom() const { return top_ + kPlotHeight; }

  void straight(const std::string& classes, double x1, double y1, double x2, double y2) {
    svg_ << "<line class=\"" << classes << "\" x1=\"" << number(x1) << "\" y1=\"" << number(y1)
         << "\" x2=\"" << number(x2) << "\" y2=\"" << number(y2) << "\"/>\n";
  }

  void text(const char* classes, double at_x, double at_y, const std::string& escaped) {
    svg_ << "<text class=\"" << classes << "\" x=\"" << number(at_x) << "\" y=\"" << number(at_y)
         << "\">" << escaped << "</text>\n";
  }

  void path(const std::string& classes, const std::string& data) {
    svg_ << "<path class=\"" << classes << "\" d=\"" << data << "\"/>\n";
  }

  void circle(const std::string& classes, double radius, const CurvePoint& point,
              const std::string& name) {
    svg_ << "<circle class=\"" << classes << "\" cx=\"" << number(x(point.update)) << "\" cy=\""
         << number(y(point.value)) << "\" r=\"" << number(radius) << "\"><title>"
         << xml_escaped(name) << ", update " << point.update << ": " << value_label(point.value)
         << "</title></circle>\n";
  }

  void draw_title() {
    std::string title = xml_escaped(chart_.title);
    title.append(" <tspan class=\"unit\" dx=\"5\">").append(xml_escaped(chart_.unit));
    text("title", kLeft, kTitle, title.append("</tspan>"));
    double baseline = kTopOfRows;
    for (const PlotLine& line : chart_.lines) {
      if (line.label.empty()) continue;
      baseline += kRow;
      straight(line.style.classes(), kLeft, baseline - 4.0, kLeft + 22.0, baseline - 4.0);
      text("row", kLeft + 30.0, baseline, xml_escaped(line.label));
    }
  }

  void draw_axes() {
    const double right = ChartFrame::kWidth - kRight;
    for (const double value : values_.ticks()) {
      straight(value == values_.low ? "base" : "grid", kLeft, y(value), right, y(value));
      text("tick left", kLeft - 8.0, y(value) + 4.0, tick_label(value, values_.step));
    }
    for (const double value : updates_.ticks()) {
      const double at = x(std::llround(value));
      straight("base", at, bottom(), at, bottom() + 4.0);
      text("tick", at, bottom() + 17.0, tick_label(value, updates_.step));
    }
    text("tick", (kLeft + right) / 2.0, bottom() + 33.0, "update");
  }

  /// Its stretches between gaps; and its points, where they are few.
  void draw(const PlotLine& line) {
    const Curve curve = thinned(line.curve, kMostPoints);
    std::string stretches, dots;
    bool inside = false;
    for (const CurvePoint& point : curve) {
      const bool gap = std::isnan(point.value);
      if (!gap) {
        const std::string at = number(x(point.update)) + " " + number(y(point.value));
        stretches.append(inside ? "L" : "M").append(at);
        if (!inside) stretches.append("h0");  // a stretch of one point is a dot
        dots.append("M").append(at).append("h0");
      }
      inside = !gap;
    }
    path(line.style.classes(), stretches);
    if (curve.size() <= kMostDots) path(line.style.classes() + " dots", dots);
  }

  void mark_best(const PlotLine& line) {
    const auto best = std::ranges::find_if(line.curve, [&](const CurvePoint& p) {
      return p.update == line.best && !std::isnan(p.value);
    });
    if (best == line.curve.end()) return;
    const std::string classes = LineStyle{line.style.number, false}.classes();
    const double at = x(best->update);
    straight(classes + " guide", at, y(best->value), at, bottom());
    circle(classes + " best", 5.0, *best, line.name + ", the best");
  }

  void add_tooltips(const PlotLine& line) {
    for (const CurvePoint& point : thinned(line.curve, kMostTooltips)) {
      if (std::isnan(point.value)) continue;
      circle(line.style.classes() + " hit", 7.0, point, line.name);
    }
  }

  const Chart& chart_;
  const ChartFrame& frame_;
  double top_;  // of the plot
  Axis updates_, values_;
  std::ostringstream svg_;
};

}  // namespace

std::string LineStyle::classes() const {
  return "line c" + std::to_string(number % kColours) + " d" +
         std::to_string(number / kColours % kDashes) + (thin ? " thin" : "");
}

double ChartFrame::height() const {
  return kTopOfRows + kRow * static_cast<double>(rows) + kGap + kPlotHeight + kBottom;
}

std::size_t rows_of(const Chart& chart) {
  return static_cast<std::size_t>(
      std::ranges::count_if(chart.lines, [](const PlotLine& line) { return !line.label.empty(); }));
}

std::string drawn(const Chart& chart, const ChartFrame& frame) {
  return Drawing(chart, frame).svg();
}

}  // namespace heddle
