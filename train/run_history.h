// What a run has measured so far, from its metrics.jsonl: a curve for each quantity.
//
// The file may be in use: a last line that is not complete is left out. Where updates go back, as
// in a file that was put together of several, the later lines count.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

struct CurvePoint {
  std::int64_t update = 0;
  double value = 0.0;  // not a number where the run had none: a gap
};
using Curve = std::vector<CurvePoint>;  // updates ascend

struct RunHistory {
  std::string name;                                // the folder's
  std::map<std::string, Curve> train, validation;  // by the names of metrics.jsonl
  std::string best_by = "loss";                    // of validations, as train.best_by
  std::optional<std::int64_t> best;                // the update of the best one
  bool smoothed = false;                           // the training loss, by label smoothing

  /// The update of the last report or validation.
  std::int64_t last_update() const;
};

/// The point with a number that is the last one; none where no point has one.
std::optional<CurvePoint> last_number(const Curve& curve);

/// Reads a run's folder. Without a config.json there the best validation is that of the least loss.
/// Throws FileError, with the line, where there are no metrics or they are damaged.
RunHistory read_history(const std::filesystem::path& run);

/// The same of several; runs whose folders have one name are named as they are given.
std::vector<RunHistory> read_histories(const std::vector<std::filesystem::path>& runs);

}  // namespace heddle
