// How far a run is: state.json of a checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/batch.h"

namespace heddle {

struct RunState {
  struct Validated {
    std::int64_t update = 0;
    double value = 0.0;  // the loss or the metric that train.best_by names
  };

  std::int64_t update = 0;         // updates so far
  Cursor cursor;                   // behind the last batch that was applied
  std::int64_t target_tokens = 0;  // learnt from so far
  std::vector<Validated> best;     // train.keep_best validations, the best first
  std::int64_t validations_since_best = 0;
  std::uint64_t train_content = 0, valid_content = 0;  // TokenCache::content()
};

/// Throws FileError.
void write_state(const std::filesystem::path& file, const RunState& state);
RunState read_state(const std::filesystem::path& file);

}  // namespace heddle
