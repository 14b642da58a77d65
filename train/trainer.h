// The training loop: batches, lanes, clipping, the optimizer; reports, validations, checkpoints.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/prefetch.h"
#include "train/corpora.h"
#include "train/learner.h"
#include "train/metrics.h"
#include "train/micro_batches.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/validation.h"

namespace heddle {

class Trainer {
 public:
  /// Everything outlives the trainer. The learner's store is filled, its optimizer has its state.
  struct Parts {
    const Settings& settings;
    const std::string& config;  // resolved, with the number of lanes
    const Tokenizers& tokenizers;
    const Corpora& corpora;
    Learner& learner;
    Progress& progress;
    int threads;
    UpdateProfile* profile = nullptr;  // told where the time of updates goes, where there is one
  };
  enum class End { kFinished, kStopped };

  Trainer(const Parts& parts, const RunState& state);

  /// Trains until the config's end; or until `stop` says so, which is asked between updates. Then,
  /// too, the last update is saved. Throws NumericError where the loss is no number.
  End run(RunFolder& folder, const std::function<bool()>& stop);

  struct Speed {
    double tokens_per_second;  // target tokens
    double tokens_per_update;
  };
  /// Does `updates` updates after two that are not timed; `tick` is called between them.
  Speed measure(int updates, const std::function<void()>& tick);

  const RunState& state() const { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// What happened since the last report.
  struct Window {
    Clock::time_point begin = Clock::now();
    std::int64_t updates = 0, target_tokens = 0, waited = 0;
    double loss = 0.0;  // summed over tokens
  };

  bool finished() const;
  double share_done() const;
  UpdateResult update(Prefetcher& batches);
  void step(const UpdateResult& result);
  void gather(Prefetcher& batches);
  void report(MetricsFile& metrics, const UpdateResult& last, const Prefetcher& batches);
  void validate(MetricsFile& metrics, RunFolder& folder);
  double measure_validation(MetricsFile& metrics, const PairSet& pairs, std::string& line);
  void show_samples(const PairSet& pairs);
  bool out_of_patience() const;
  void save(RunFolder& folder);
  void remove_old(RunFolder& folder) const;
  [[noreturn]] void fail_not_finite(const char* what, double value) const;

  Parts parts_;
  const TrainConfig& config_;
  RunState state_;
  Lanes lanes_;
  Translator translator_;
  BatchOptions batch_options_;
  BatchStream stream_;
  MicroBatches micro_batches_;  // of an update
  Window window_;
  std::int64_t saved_ = -1, validated_ = -1;  // the updates of the last ones
  std::int64_t first_update_;                 // of this process
  Clock::time_point begin_ = Clock::now();
};

}  // namespace heddle
