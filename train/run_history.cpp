#include "train/run_history.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "autograd/base/check.h"
#include "decode/metrics/scores.h"
#include "decode/run_checkpoints.h"
#include "decode/trained_model.h"
#include "train/resolved.h"
#include "train/selection.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

void append(Curve& curve, CurvePoint point) {
  while (!curve.empty() && curve.back().update >= point.update) curve.pop_back();
  curve.push_back(point);
}

/// Adds what a line has measured; false where it is no line of a run.
bool add_line(const std::string& line, RunHistory& history) {
  if (line.find('\0') != line.npos) return false;  // the parser would stop there
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("update") || !object.contains("kind")) return false;
  const nlohmann::json &update = object.at("update"), &kind = object.at("kind");
  if (!update.is_number_integer() || update.get<std::int64_t>() < 0) return false;
  const bool train = kind == "train";
  if (!train && kind != "validation") return true;  // of a later version
  for (const auto& [name, value] : object.items()) {
    if (name == "update" || (!value.is_number() && !value.is_null())) continue;
    const double number =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    append((train ? history.train : history.validation)[name],
           {update.get<std::int64_t>(), number});
  }
  return true;
}

void read_metrics(const fs::path& path, RunHistory& history) {
  std::ifstream file(path, std::ios::binary);
  check<FileError>(file.is_open(), "cannot read ", path.string(), ": ",
                   std::generic_category().message(errno));
  std::int64_t number = 1;
  for (std::string line; std::getline(file, line); ++number) {
    const bool being_written = file.eof();
    check<FileError>(add_line(line, history) || being_written, path.string(), ":", number,
                     ": is no line of a run's metrics");
  }
}

/// As the trainer chooses it; `losses` decide where a metric has equal values.
std::optional<std::int64_t> best_update(const Curve& curve, const Curve* losses,
                                        std::optional<Metric> best_by) {
  std::vector<RunState::Validated> best;
  for (const CurvePoint& point : curve) {
    if (std::isnan(point.value)) continue;
    RunState::Validated validated{point.update, point.value};
    if (best_by && losses != nullptr) {
      const auto loss = std::ranges::lower_bound(*losses, point.update, {}, &CurvePoint::update);
      const bool known = loss != losses->end() && loss->update == point.update;
      if (known && !std::isnan(loss->value)) validated.loss = loss->value;
    }
    take_validation(best, validated, 1, best_by);
  }
  return best.empty() ? std::nullopt : std::optional(best.front().update);
}

bool has_number(const std::map<std::string, Curve>& curves) {
  return std::ranges::any_of(curves,
                             [](const auto& c) { return last_number(c.second).has_value(); });
}

std::string folder_name(const fs::path& run) {
  const fs::path path = fs::absolute(run).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

std::int64_t RunHistory::last_update() const {
  std::int64_t last = 0;
  for (const auto* curves : {&train, &validation}) {
    for (const auto& [quantity, curve] : *curves) last = std::max(last, curve.back().update);
  }
  return last;
}

std::optional<CurvePoint> last_number(const Curve& curve) {
  const auto last = std::find_if(curve.rbegin(), curve.rend(),
                                 [](const CurvePoint& p) { return !std::isnan(p.value); });
  return last == curve.rend() ? std::nullopt : std::optional(*last);
}

RunHistory read_history(const fs::path& run) {
  const fs::path metrics = run / "metrics.jsonl";
  check<FileError>(fs::exists(metrics), run.string(),
                   ": is no folder of a run: it has no metrics.jsonl");
  RunHistory history;
  history.name = folder_name(run);
  read_metrics(metrics, history);
  check<FileError>(has_number(history.train) || has_number(history.validation), metrics.string(),
                   ": holds no measurements yet; the first one comes after train.report_every "
                   "updates");
  if (fs::exists(run / kConfigFile)) {
    const std::string quoted = resolved_part(run / kConfigFile, "/train/best_by");
    history.best_by = quoted.substr(1, quoted.size() - 2);
    history.smoothed = resolved_number(run / kConfigFile, "/train/label_smoothing") > 0.0;
  }
  const auto judged = history.validation.find(history.best_by);
  if (judged != history.validation.end()) {
    const auto losses = history.validation.find("loss");
    history.best =
        best_update(judged->second, losses == history.validation.end() ? nullptr : &losses->second,
                    metric_called(history.best_by));
    // What other commands take, where it is there: earlier versions chose otherwise among equals.
    const std::optional<fs::path> kept = find_best(run);
    const auto update = kept ? checkpoint_update(*kept) : std::nullopt;
    const bool drawn = std::ranges::count(judged->second, update, &CurvePoint::update) > 0;
    if (drawn) history.best = update;
  }
  return history;
}

std::vector<RunHistory> read_histories(const std::vector<fs::path>& runs) {
  std::vector<RunHistory> histories;
  std::multiset<std::string> names;
  for (const fs::path& run : runs) {
    histories.push_back(read_history(run));
    names.insert(histories.back().name);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (names.count(histories[i].name) > 1) histories[i].name = runs[i].string();
  }
  return histories;
}

}  // namespace heddle
