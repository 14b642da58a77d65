// The section "train" of a config: how long, in what steps, what is reported and kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "autograd/base/dtype.h"
#include "configs/config.h"
#include "decode/decode_config.h"
#include "decode/metrics/scores.h"

namespace heddle {

/// Every so many updates, or passes over the training text.
struct Interval {
  std::int64_t updates;
  std::optional<std::int64_t> epochs = {};  // instead of updates, where given

  /// Behind an update by which so many epochs, of `epochs_before`, were completed.
  bool ends(std::int64_t update, std::int64_t epochs_before, std::int64_t epochs_now) const {
    if (!epochs) return update % updates == 0;
    return epochs_before / *epochs < epochs_now / *epochs;
  }
};

struct TrainConfig {
  explicit TrainConfig(const Config& train);

  /// Notes an error where the config says neither how many updates nor how many epochs.
  static void require_end(const Config& train);

  std::optional<std::int64_t> steps, epochs;  // whichever comes first ends the run
  std::int64_t batch_tokens = 4096;           // of targets in a batch, ends included
  std::int64_t max_source_tokens = 8192;      // of sources in a batch, ends included
  bool max_source_given = false;              // else it is twice batch_tokens
  std::int64_t accumulate = 1;                // batches in an update
  std::int64_t lane_tokens = 512;             // of sources and of targets that a lane has at once
  double label_smoothing = 0.1;
  double clip_norm = 1.0;             // 0: none
  std::optional<std::int64_t> lanes;  // none: as many as there are processors, at most 8
  DType dtype = DType::kFloat32;
  std::optional<double> ema_decay;  // of the weights' moving average; none: there is none
  std::int64_t report_every = 50;   // updates
  Interval validate_every{500}, checkpoint_every{500};
  std::int64_t keep_last = 3, keep_best = 1;               // checkpoints
  std::optional<std::int64_t> average_last, average_best;  // whose mean a finished run leaves
  std::optional<Metric> best_by;                           // of validations; none: the loss
  std::vector<Metric> metrics;                             // measured at validations, best_by too
  BleuTokens bleu_tokens = BleuTokens::k13a;               // of BLEU among them
  int validation_beam = 1;                                 // of the search for their translations
  std::optional<std::int64_t> patience;            // validations without a better one: the end
  std::int64_t sample_translations = 3;            // shown at each validation
  std::optional<std::filesystem::path> init_from;  // a model whose weights to begin with
  std::int64_t max_skipped = 3;  // updates in a row that are not finite: the run goes back
  std::int64_t max_rollbacks = 3;
  double rollback_factor = 0.5;     // of the learning rate, each time
  std::int64_t save_timeout = 600;  // seconds in which a failed writing is tried again

 private:
  void read_validation(const Config& train);
  void read_checkpoints(const Config& train);
  void read_recovery(const Config& train);
};

}  // namespace heddle
