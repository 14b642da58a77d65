// The training loop: batches, lanes, clipping, the optimizer; reports, validations, checkpoints.
//
// An update whose loss or gradients are not finite is skipped: it counts, but changes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/prefetch.h"
#include "train/corpora.h"
#include "train/insist.h"
#include "train/learner.h"
#include "train/metrics.h"
#include "train/micro_batches.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/validation.h"

namespace heddle {

/// The numbers of a run are beyond mending by skipping updates.
class Diverged : public NumericError {
  using NumericError::NumericError;
};

/// What the user asks for meanwhile; stop and save are looked at between updates.
struct Requests {
  std::function<bool()> stop;
  std::function<bool()> save = [] { return false; };  // and go on; forgotten when it was told
  /// Whether to leave a validation at once, for stop to be looked at: asked by any thread.
  std::function<bool()> hurry = [] { return false; };
};

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
    const Requests& user;
    const InsistOptions& insist;
    int threads;
    UpdateProfile* profile = nullptr;  // told where the time of updates goes, where there is one
  };
  /// kNotSaved: stopped, but what there was could not be gone on with.
  enum class End { kFinished, kStopped, kNotSaved };

  /// `saved`: whether there is a checkpoint of the schedule with this state.
  Trainer(const Parts& parts, const RunState& state, bool saved = false);

  /// Trains until the config's end, or until the user asks to stop: then, too, the last update is
  /// saved. Throws Diverged, and FileError where saving fails for longer than train.save_timeout.
  End run(RunFolder& folder, MetricsFile& metrics);

  struct Speed {
    double tokens_per_second;  // target tokens
    double tokens_per_update;
  };
  /// Does `updates` updates after two that are not timed; `tick` is called between them.
  Speed measure(int updates, const std::function<void()>& tick);

  const RunState& state() const { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// What this process did since the last report.
  struct Window {
    Clock::time_point begin = Clock::now();
    std::int64_t target_tokens = 0, waited = 0;
  };

  bool finished() const;
  double share_done() const;
  double learning_rate() const;
  StepKey key() const;
  UpdateResult update(Prefetcher& batches);
  void apply(const UpdateResult& result);
  void gather(Prefetcher& batches);
  void skip(const UpdateResult& result, MetricsFile& metrics);
  void report(MetricsFile& metrics, const UpdateResult& last, const Prefetcher& batches);
  void show_progress(double loss, double speed);
  bool validate(RunFolder& folder, MetricsFile& metrics);
  RunState::Validated measure_validation(MetricsFile& metrics, const PairSet& pairs,
                                         std::string& line);
  void show_samples(const PairSet& pairs);
  bool out_of_patience() const;
  void save(RunFolder& folder, MetricsFile& metrics);
  bool save_interim(RunFolder& folder, MetricsFile& metrics);
  void write(const std::filesystem::path& folder) const;
  void tidy(RunFolder& folder) const;
  void remove_old(RunFolder& folder) const;
  void append(MetricsFile& metrics, const std::vector<Measurement>& values) const;

  Parts parts_;
  const TrainConfig& config_;
  RunState state_;
  Lanes lanes_;
  Translator translator_;
  BatchOptions batch_options_;
  BatchStream stream_;
  MicroBatches micro_batches_;       // of an update
  std::vector<std::int64_t> lines_;  // of its pairs
  Window window_;
  std::int64_t saved_;         // the update of the last checkpoint of the schedule
  std::int64_t first_update_;  // of this process
  Clock::time_point begin_ = Clock::now();
};

}  // namespace heddle
