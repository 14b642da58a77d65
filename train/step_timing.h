// How long an update takes, and where its time goes: forward, backward, the sum of the lanes'
// gradients and the optimizer's step, on one batch that is there beforehand.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "optim/optimizer.h"
#include "train/lanes.h"

namespace heddle {

struct StepTimingOptions {
  int updates = 10;  // that are timed
  int threads = 1;
  double learning_rate = 1e-4;
  double clip_norm = 1.0;
};

/// One part of an update. Lanes run side by side: seconds are those of all lanes by the number that
/// run at a time.
struct FamilyTime {
  std::string_view family;
  std::string_view about;  // what it holds
  double seconds = 0.0;    // of one update
};

struct StepTiming {
  double seconds = 0.0;  // of an update: the median
  std::int64_t target_tokens = 0;
  double product_seconds = 0.0;      // of its matrix products alone, see product_timing.h
  std::int64_t peak_bytes = 0;       // of the process, resident, once updates are steady
  std::vector<FamilyTime> families;  // the longest first; together, an update with a profile

  double tokens_per_second() const { return static_cast<double>(target_tokens) / seconds; }
  /// What share of an update its matrix products alone would take.
  double gemm_share() const { return product_seconds / seconds; }
};

/// Trains on `batch`: two updates to warm up, then those that are timed, then some with a profile.
/// `say` is told what comes next. Throws where a loss or a gradient norm is not finite.
StepTiming time_step(Lanes& lanes, Optimizer& optimizer, const MicroBatch& batch,
                     const StepTimingOptions& options,
                     const std::function<void(std::string_view)>& say);

}  // namespace heddle
