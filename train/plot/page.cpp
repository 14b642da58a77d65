#include "train/plot/page.h"

#include <algorithm>
#include <sstream>

#include "train/plot/axis.h"
#include "train/plot/curves.h"
#include "train/plot/xml.h"

namespace heddle {

namespace {

constexpr const char* kNote =
    "A ring marks the best validation, whose checkpoint heddle translate takes.";
constexpr const char* kSmoothedNote =
    "The training loss counts label smoothing and dropout, the validation loss neither: compare "
    "validations with validations.";

// Colours that colour-blind people tell apart: Okabe and Ito, "Color Universal Design" (2008).
constexpr const char* kChartStyle = R"(
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #555 }
.title { font-size: 16px; font-weight: 600; fill: #111 }
.unit { font-size: 12px; font-weight: 400; fill: #666 }
.row { fill: #333 }
.tick { text-anchor: middle }
.left { text-anchor: end }
.grid { stroke: #e4e4e4 }
.base { stroke: #999 }
.line { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }
.thin { stroke-width: 1.2; opacity: 0.85 }
.c0 { color: #0072b2 }
.c1 { color: #d55e00 }
.c2 { color: #009e73 }
.c3 { color: #cc79a7 }
.c4 { color: #e69f00 }
.c5 { color: #56b4e9 }
.d1 { stroke-dasharray: 7 4 }
.d2 { stroke-dasharray: 1 4 }
.dots { stroke-width: 5; stroke-dasharray: none; opacity: 1 }
.guide { stroke-width: 1; stroke-dasharray: 3 3; opacity: 0.7 }
.best { stroke-width: 2; stroke-dasharray: none; fill: #fff }
)";

constexpr const char* kPageStyle = R"(
body { margin: 0; padding: 1.5rem; background: #f4f4f2; color: #222; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
main { max-width: 1240px; margin: auto }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 0.5rem; overflow-wrap: anywhere }
ul { list-style: none; margin: 0; padding: 0 }
li { overflow-wrap: anywhere }
p { color: #666; margin: 0.5rem 0 1.25rem }
b { font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1rem }
.charts svg { display: block; width: 100%; height: auto; max-height: 85vh; background: #fff; border: 1px solid #ddd; border-radius: 8px; box-sizing: border-box }
.key { width: 26px; height: 10px; margin-right: 0.4rem }
.hit { fill: transparent; stroke: none; opacity: 1 }
.hit:hover { fill: currentColor; fill-opacity: 0.45 }
@media (prefers-color-scheme: dark) {
body { background: #121416; color: #ddd }
p { color: #999 }
text { fill: #aaa }
.title { fill: #eee }
.unit { fill: #999 }
.row { fill: #ccc }
.grid { stroke: #30343a }
.base { stroke: #777 }
.charts svg { background: #1b1e22; border-color: #33383e }
.best { fill: #1b1e22 }
.c0 { color: #4aa8e8 }
.c1 { color: #f5803e }
.c2 { color: #1fc493 }
.c3 { color: #e29ac4 }
.c4 { color: #f0d04a }
.c5 { color: #a5dcfa }
}
)";

constexpr const char* kSvgStart = "<svg xmlns=\"http://www.w3.org/2000/svg\" ";

std::string view_box(double width, double height) {
  std::ostringstream attribute;
  attribute << "viewBox=\"0 0 " << decimal(width, 0) << " " << decimal(height, 0) << "\"";
  return attribute.str();
}

ChartFrame frame_of(std::span<const RunHistory> runs, const std::vector<Chart>& charts) {
  ChartFrame frame;
  for (const RunHistory& run : runs) {
    frame.last_update = std::max(frame.last_update, run.last_update());
  }
  for (const Chart& chart : charts) frame.rows = std::max(frame.rows, rows_of(chart));
  return frame;
}

bool any_best(std::span<const RunHistory> runs) {
  return std::ranges::any_of(runs, [](const RunHistory& run) { return run.best.has_value(); });
}

bool any_smoothed(std::span<const RunHistory> runs) {
  return std::ranges::any_of(runs, [](const RunHistory& run) { return run.smoothed; });
}

std::string heading(std::span<const RunHistory> runs) {
  return runs.size() == 1 ? "Learning curves of " + runs[0].name : "Learning curves";
}

/// The sample of a run's line in a legend.
std::string key(std::size_t number) {
  std::ostringstream svg;
  svg << "<line class=\"" << LineStyle{number}.classes()
      << "\" x1=\"2\" y1=\"5\" x2=\"24\" y2=\"5\"/>";
  return svg.str();
}

std::string legend(std::span<const RunHistory> runs) {
  std::ostringstream html;
  html << "<ul>\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    html << "<li>";
    if (runs.size() > 1) {
      html << kSvgStart << "class=\"key\" " << view_box(26, 10) << ">" << key(i) << "</svg><b>"
           << xml_escaped(runs[i].name) << "</b>: ";
    }
    html << xml_escaped(summary_of(runs[i])) << "</li>\n";
  }
  html << "</ul>\n<p>" << (any_best(runs) ? kNote : "") << (any_smoothed(runs) ? " " : "")
       << (any_smoothed(runs) ? kSmoothedNote : "") << "</p>\n";
  return html.str();
}

/// Elements at another place.
std::string moved(double x, double y, const std::string& elements) {
  std::ostringstream svg;
  svg << "<g transform=\"translate(" << decimal(x, 1) << " " << decimal(y, 1) << ")\">\n"
      << elements << "</g>\n";
  return svg.str();
}

/// The lines of text above the charts of an image.
class Head {
 public:
  explicit Head(std::span<const RunHistory> runs) {
    say("title", 0.0, heading(runs));
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const bool several = runs.size() > 1;
      if (several) svg_ << moved(kMargin, baseline_ - 9.0, key(i) + "\n");
      say("row", several ? 32.0 : 0.0, (several ? runs[i].name + ": " : "") + summary_of(runs[i]));
    }
    if (any_best(runs)) say("unit", 0.0, kNote);
    if (any_smoothed(runs)) say("unit", 0.0, kSmoothedNote);
  }

  std::string svg() const { return svg_.str(); }
  double height() const { return baseline_; }

 private:
  static constexpr double kMargin = 20.0, kLine = 20.0;

  void say(const char* classes, double indent, const std::string& text) {
    svg_ << "<text class=\"" << classes << "\" x=\"" << decimal(kMargin + indent, 0) << "\" y=\""
         << decimal(baseline_, 0) << "\">" << xml_escaped(text) << "</text>\n";
    baseline_ += kLine;
  }

  std::ostringstream svg_;
  double baseline_ = kMargin + 14.0;
};

}  // namespace

std::string html_page(std::span<const RunHistory> runs) {
  const std::vector<Chart> charts = charts_of(runs);
  const ChartFrame frame = frame_of(runs, charts);
  const std::string title = xml_escaped(heading(runs));
  std::ostringstream html;
  html << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
       << "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
       << "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>" << title
       << "</title>\n<style>" << kChartStyle << kPageStyle << "</style>\n</head>\n<body>\n<main>\n"
       << "<h1>" << title << "</h1>\n"
       << legend(runs) << "<div class=\"charts\">\n";
  for (const Chart& chart : charts) {
    html << kSvgStart << "role=\"img\" aria-label=\"" << xml_escaped(chart.title) << "\" "
         << view_box(ChartFrame::kWidth, frame.height()) << ">\n"
         << drawn(chart, frame) << "</svg>\n";
  }
  html << "</div>\n</main>\n</body>\n</html>\n";
  return html.str();
}

std::string svg_image(std::span<const RunHistory> runs) {
  constexpr std::size_t kColumns = 2;
  const std::vector<Chart> charts = charts_of(runs);
  ChartFrame frame = frame_of(runs, charts);
  frame.tooltips = false;  // an image in a document shows none
  const Head head(runs);
  const std::size_t rows = (charts.size() + kColumns - 1) / kColumns;
  const double width = ChartFrame::kWidth * kColumns;
  const double height = head.height() + frame.height() * static_cast<double>(rows);
  std::ostringstream svg;
  svg << kSvgStart << "width=\"" << decimal(width, 0) << "\" height=\"" << decimal(height, 0)
      << "\" " << view_box(width, height) << ">\n<title>" << xml_escaped(heading(runs))
      << "</title>\n<style>" << kChartStyle << "</style>\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      << head.svg();
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const double left = ChartFrame::kWidth * static_cast<double>(i % kColumns);
    const double top = head.height() + frame.height() * static_cast<double>(i / kColumns);
    svg << moved(left, top, drawn(charts[i], frame));
  }
  svg << "</svg>\n";
  return svg.str();
}

}  // namespace heddle
