// The section "train" of a config: how long, in what steps, what is reported and kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "autograd/base/dtype.h"
#include "configs/config.h"

namespace heddle {

struct TrainConfig {
  explicit TrainConfig(const Config& train);

  /// Notes an error where the config says neither how many updates nor how many epochs.
  static void require_end(const Config& train);

  std::optional<std::int64_t> steps, epochs;  // whichever comes first ends the run
  std::int64_t batch_tokens = 4096;           // of targets in a batch, ends included
  std::int64_t max_source_tokens = 8192;      // of sources in a batch, ends included
  std::int64_t accumulate = 1;                // batches in an update
  std::int64_t lane_tokens = 512;             // of sources and of targets that a lane has at once
  double label_smoothing = 0.1;
  double clip_norm = 1.0;             // 0: none
  std::optional<std::int64_t> lanes;  // none: as many as there are processors, at most 8
  DType dtype = DType::kFloat32;
  std::int64_t report_every = 50;  // updates, as the next two
  std::int64_t validate_every = 500;
  std::int64_t checkpoint_every = 500;
  std::int64_t keep_last = 3;                      // checkpoints; the best one is kept, too
  std::int64_t sample_translations = 3;            // shown at each validation
  std::optional<std::filesystem::path> init_from;  // a model whose weights to begin with
};

}  // namespace heddle
