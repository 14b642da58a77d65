// How long an update takes, and where its time goes: forward, backward, the sum of the lanes'
// gradients and the optimizer's step, on one batch that is there beforehand.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "optim/optimizer.h"
#include "train/lanes.h"
#include "train/update_profile.h"

namespace heddle {

/// Of several values; of an even number the mean of the two in the middle.
double median(std::vector<double> values);

/// The most memory that this process has held so far, or since it was told to forget.
std::int64_t peak_resident_bytes();
/// Gives memory that is free back to the system, and counts the most from now on.
void forget_peak_resident_bytes();

struct UpdateTimingOptions {
  int updates = 10;  // that are timed
  int threads = 1;
  double learning_rate = 1e-4;
  double clip_norm = 1.0;
};

struct UpdateTiming {
  double seconds = 0.0;  // of an update: the median
  std::int64_t target_tokens = 0;
  double product_seconds = 0.0;  // of its matrix products alone by OpenBLAS: product_timing.h
  /// The same by the library that updates use, where that is not OpenBLAS alone.
  std::optional<double> faster_product_seconds;
  std::int64_t peak_bytes = 0;       // of the process, resident, once updates are steady
  UpdateProfile profile;             // of a few updates after those that were timed
  std::vector<FamilyTime> families;  // the same by family

  double tokens_per_second() const { return static_cast<double>(target_tokens) / seconds; }
  /// What share of an update its matrix products alone would take by OpenBLAS.
  double gemm_share() const { return product_seconds / seconds; }
};

/// Trains on the micro-batches, which are an update: two updates to warm up, then those that are
/// timed, then some with a profile. `say` is told what comes next. Throws where a loss or a
/// gradient norm is not finite.
UpdateTiming measure_updates(Lanes& lanes, Optimizer& optimizer,
                             std::span<const MicroBatch> micro_batches,
                             const UpdateTimingOptions& options,
                             const std::function<void(std::string_view)>& say);

}  // namespace heddle
