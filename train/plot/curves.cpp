#include "train/plot/curves.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "data/utf8.h"
#include "train/plot/axis.h"
#include "train/progress.h"

namespace heddle {

namespace {

struct Quantity {
  std::string_view name;  // in metrics.jsonl
  std::string_view title, unit;
};

constexpr std::string_view kOfTranslations = "of translations of the validation text";
constexpr std::string_view kPercent = "%, of translations of the validation text";

constexpr Quantity kMetrics[] = {
    {"bleu", "BLEU", kOfTranslations},     {"chrf", "chrF", kOfTranslations},
    {"chrf++", "chrF++", kOfTranslations}, {"exact", "Exact match", kPercent},
    {"wer", "Word error rate", kPercent},  {"per", "Token error rate", kPercent}};

constexpr Quantity kTraining[] = {
    {"learning_rate", "Learning rate", ""},
    {"gradient_norm", "Gradient norm", "of an update, before clipping"},
    {"tokens_per_second", "Speed", "target tokens per second"}};

// Of validations, but no metrics: the perplexity is the exponential of the loss.
constexpr std::string_view kNotDrawn[] = {"loss", "perplexity", "seconds"};

Quantity quantity_called(std::string_view name) {
  const auto known = std::ranges::find(kMetrics, name, &Quantity::name);
  return known != std::end(kMetrics) ? *known : Quantity{name, name, ""};
}

std::set<std::string> metrics_of(std::span<const RunHistory> runs) {
  std::set<std::string> names;
  for (const RunHistory& run : runs) {
    for (const auto& [name, curve] : run.validation) {
      if (std::ranges::count(kNotDrawn, name) == 0) names.insert(name);
    }
  }
  return names;
}

/// The curve of that name, where it has a number.
const Curve* curve_of(const std::map<std::string, Curve>& curves, std::string_view name) {
  const auto found = curves.find(std::string(name));
  return found != curves.end() && last_number(found->second) ? &found->second : nullptr;
}

/// A name that leaves room for numbers: its middle is left out where it is long.
std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 20, kEnd = 9;
  std::vector<std::string_view> characters;
  for (const CodePoint& c : CodePoints(name)) characters.push_back(c.bytes);
  if (characters.size() <= kMost) return name;
  std::string text;
  for (std::size_t i = 0; i < kMost - kEnd - 1; ++i) text += characters[i];
  text += "\u2026";
  for (std::size_t i = characters.size() - kEnd; i < characters.size(); ++i) text += characters[i];
  return text;
}

/// The last value, and that of the best validation, which is marked by a ring: "34.12, best 34.5"
/// of what the run is judged by, else "2.104, at the ring 2.098".
std::string values_in_words(const Curve& curve, std::optional<std::int64_t> best, bool judged) {
  const CurvePoint last = *last_number(curve);
  const std::string text = value_label(last.value);
  if (last.update == best) return text + (judged ? ", the best" : ", at the ring");
  const auto point = std::ranges::find(curve, best, &CurvePoint::update);
  if (point == curve.end() || std::isnan(point->value)) return text;
  return text + (judged ? ", best " : ", at the ring ") + value_label(point->value);
}

PlotLine line_of(const RunHistory& run, const LineStyle& style, const Curve& curve,
                 const std::string& name, std::optional<std::int64_t> best) {
  return {
      .style = style, .name = run.name + ", " + name, .label = "", .curve = curve, .best = best};
}

/// The losses of one run: two rows; or of one among several: a row for both.
void add_losses(const RunHistory& run, std::size_t number, bool several, Chart& chart) {
  const std::size_t first = chart.lines.size();
  const LineStyle validation_style{several ? number : 1, false};
  if (const Curve* curve = curve_of(run.train, "loss")) {
    chart.lines.push_back(line_of(run, {number, true}, *curve, "training", {}));
    const std::string name = several ? (run.smoothed ? "training, smoothed" : "training")
                                     : training_loss_name(run.smoothed);
    chart.lines.back().label = name + " " + values_in_words(*curve, {}, false);
  }
  if (const Curve* curve = curve_of(run.validation, "loss")) {
    chart.lines.push_back(line_of(run, validation_style, *curve, "validation", run.best));
    chart.lines.back().label = (several ? "validation " : "validation loss ") +
                               values_in_words(*curve, run.best, run.best_by == "loss");
  }
  if (!several || first == chart.lines.size()) return;
  std::string& label = chart.lines.back().label;
  if (chart.lines.size() == first + 2) label = chart.lines[first].label + ", " + label;
  label = shortened(run.name) + ": " + label;
  for (std::size_t i = first; i + 1 < chart.lines.size(); ++i) chart.lines[i].label.clear();
}

Chart loss_chart(std::span<const RunHistory> runs) {
  const bool several = runs.size() > 1;
  Chart chart{.title = "Loss",
              .unit = several ? "nats per target token; thin: training, thick: validation"
                              : "nats per target token",
              .from_zero = false,
              .lines = {}};
  for (std::size_t i = 0; i < runs.size(); ++i) add_losses(runs[i], i, several, chart);
  return chart;
}

/// A curve of each run that has it, among the reports or the validations.
Chart chart_of(std::span<const RunHistory> runs, const Quantity& quantity, bool validation) {
  Chart chart{.title = std::string(quantity.title),
              .unit = std::string(quantity.unit),
              .from_zero = !validation,
              .lines = {}};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunHistory& run = runs[i];
    const Curve* curve = curve_of(validation ? run.validation : run.train, quantity.name);
    if (curve == nullptr) continue;
    const auto best = validation ? run.best : std::nullopt;
    // Validations of one run have the colour that they have in the chart of its losses.
    const std::size_t number = runs.size() == 1 && validation ? 1 : i;
    chart.lines.push_back(line_of(run, {number, false}, *curve, chart.title, best));
    chart.lines.back().label = (runs.size() > 1 ? shortened(run.name) + ": " : "last ") +
                               values_in_words(*curve, best, run.best_by == quantity.name);
  }
  return chart;
}

}  // namespace

std::vector<Chart> charts_of(std::span<const RunHistory> runs) {
  std::vector<Chart> charts = {loss_chart(runs)};
  for (const std::string& name : metrics_of(runs)) {
    charts.push_back(chart_of(runs, quantity_called(name), /*validation=*/true));
  }
  for (const Quantity& quantity : kTraining) {
    charts.push_back(chart_of(runs, quantity, /*validation=*/false));
  }
  std::erase_if(charts, [](const Chart& chart) { return chart.lines.empty(); });
  return charts;
}

std::string summary_of(const RunHistory& run) {
  const std::int64_t updates = run.last_update();
  std::string text = std::to_string(updates) + (updates == 1 ? " update" : " updates");
  if (!run.best) return text;
  const Curve& judged = run.validation.at(run.best_by);
  const double value = std::ranges::find(judged, *run.best, &CurvePoint::update)->value;
  const std::string by =
      run.best_by == "loss" ? "loss" : std::string(quantity_called(run.best_by).title);
  return text + "; best validation at update " + std::to_string(*run.best) + ": " + by + " " +
         value_label(value);
}

}  // namespace heddle
