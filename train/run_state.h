// How far a run is: state.json of a checkpoint. All that its further course depends on besides the
// weights and the optimizer's moments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/batch.h"

namespace heddle {

struct RunState {
  struct Validated {
    std::int64_t update = 0;
    double value = 0.0;                         // the loss or the metric that train.best_by names
    std::optional<double> loss = std::nullopt;  // where the value is that of a metric
  };
  struct LossSum {
    std::int64_t target_tokens = 0;
    double loss = 0.0;  // summed over these tokens
  };

  std::int64_t update = 0;         // updates so far
  Cursor cursor;                   // behind the last batch that was used
  std::int64_t target_tokens = 0;  // learnt from so far
  LossSum since_report;
  std::optional<double> mean_loss;          // running, of the reports so far
  bool diverging = false;                   // the last report was far above it
  std::int64_t good = 0;                    // the last checkpoint of the schedule when it was not
  std::vector<Validated> best;              // train.keep_best validations, the best first
  std::optional<double> least_loss;         // of validations, where a metric says which is the best
  std::int64_t validations_since_best = 0;  // in which neither the metric nor the loss got better
  std::optional<std::int64_t> validation_due;  // of the last update; the epoch before it
  std::int64_t skipped = 0;          // the last updates in a row, for numbers that are not finite
  std::int64_t rollbacks = 0;        // how often the run went back to a checkpoint
  double learning_rate_scale = 1.0;  // of the schedule, since then
  std::uint64_t train_content = 0, valid_content = 0;  // TokenCache::content()
  std::string build;                                   // version_text() of what wrote it
};

/// The JSON of a state, for write_sealed().
std::string state_text(const RunState& state);
/// Whether read_state() knows what is in it. Throws FileError.
bool is_of_this_version(const std::filesystem::path& file);
/// Reads a state.json. Throws FileError.
RunState read_state(const std::filesystem::path& file);

}  // namespace heddle
