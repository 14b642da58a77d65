// A run from its config to its end: settings, tokenizers, corpora, model, trainer.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace heddle {

/// The user asked to stop before training began.
class Interrupted : public Error {
  using Error::Error;
};

struct TrainingRequest {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::filesystem::path run;
  RunFolder::Open open = RunFolder::Open::kNew;
  int threads = 1;
  UpdateProfile* profile = nullptr;  // as in Trainer::Parts
};

class Training {
 public:
  /// Reads and checks the config. Throws ConfigError with all that is wrong with it.
  Training(const TrainingRequest& request, Progress& progress, Requests user);

  /// Prepares the run, in its folder, and trains. Where preparing fails, nothing is left of it.
  /// Where the run diverges it goes back to its last good checkpoint, with a lower learning rate,
  /// as often as train.max_rollbacks says; then throws NumericError.
  Trainer::End run();

  const Settings& settings() const { return settings_; }

  struct Estimate {
    std::int64_t parameters = 0;
    std::int64_t parameter_bytes = 0;
    Trainer::Speed speed{};
    std::int64_t pairs = 0;         // to train on
    double tokens_per_epoch = 0.0;  // of targets
  };
  /// Prepares the run in a folder of its own, which goes afterwards, and times a few updates.
  Estimate dry_run();

 private:
  struct Prepared;
  void check_not_stopped() const;
  void initialise(Learner& learner) const;
  void load_initial_weights(Learner& learner) const;
  void average_checkpoints(RunFolder& folder, const RunState& state);
  void check_same_text(const RunState& before, const Corpora& now) const;
  Prepared prepare(const std::filesystem::path& caches,
                   const std::optional<std::filesystem::path>& checkpoint);
  std::optional<RunState> whole(const std::filesystem::path& checkpoint) const;
  std::filesystem::path first_whole(const std::vector<std::filesystem::path>& checkpoints) const;
  std::optional<std::int64_t> last_good(const RunFolder& folder, const RunState& failed) const;
  void say_how_it_begins(const Prepared& p, bool goes_on) const;
  void go_back(const RunState& failed, const std::string& reason, RunState& state,
               MetricsFile& metrics) const;
  Trainer::Parts parts(const Prepared& p) const;
  Tokenizers find_tokenizers(const std::filesystem::path& caches,
                             const std::optional<std::filesystem::path>& checkpoint) const;

  TrainingRequest request_;
  Progress& progress_;
  Requests user_;
  ConfigDocument document_;
  ConfigDocument::IdleKeys idle_keys_ = ConfigDocument::IdleKeys::kRefuse;
  Settings settings_;
  InsistOptions insist_;
  std::string resolved_;
};

}  // namespace heddle
