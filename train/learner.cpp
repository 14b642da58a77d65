#include "train/learner.h"

#include <algorithm>

#include "autograd/base/aligned.h"
#include "autograd/numeric_guard.h"

namespace heddle {

namespace {

constexpr const char* kAboutData = "The text.";
constexpr const char* kAboutValid = "The text that judges, never learnt from.";
constexpr const char* kAboutTrain = "How training goes.";

/// Keys that only validations use, or only some of them.
void note_idle_validation(const Config& root, const DataConfig& data, const TrainConfig& config) {
  const Config train = root.object("train", kAboutTrain);
  if (!data.valid && data.hold_out == 0) {
    for (const char* key :
         {"validate_every", "validate_every_epochs", "best_by", "metrics", "bleu_tokens",
          "validation_beam", "patience", "sample_translations", "keep_best"}) {
      train.idle(key, "there is no validation text; give data.valid");
    }
    return;
  }
  if (std::ranges::count(config.metrics, Metric::kBleu) == 0) {
    train.idle("bleu_tokens", "validations do not measure BLEU; name \"bleu\" in metrics");
  }
  if (!config.metrics.empty()) return;
  root.object("data", kAboutData)
      .object("valid", kAboutValid)
      .idle("references", "only metrics compare with them; name one in train.metrics");
  if (config.sample_translations == 0) {
    train.idle("validation_beam", "validations translate nothing; name one of metrics");
  }
}

std::int64_t updates_of(const Settings& settings) {
  return settings.train.steps.value_or(0);
}

}  // namespace

Settings::Settings(const Config& root)
    : seed(static_cast<std::uint64_t>(
          root.integer("seed", 1, {0, std::int64_t{1} << 53}, "Another seed is another run."))),
      data(root.object("data", kAboutData)),
      train(root.object("train", kAboutTrain)),
      decode(root.object("decode", "How outputs are found.")) {
  if (!data.train) return;  // not the config of a training
  note_idle_validation(root, data, train);
  if (train.max_rollbacks == 0) {
    root.object("train", kAboutTrain).idle("rollback_factor", "max_rollbacks is 0");
  }
}

Learner::Learner(const Config& root, const Settings& settings, const Vocabularies& vocabularies)
    : store(settings.train.dtype),
      transformer(Scope(store), root.object("model", "The Transformer."), vocabularies),
      optimizer(root.object("optimizer", "How weights change."), store),
      schedule(root.object("schedule", "The learning rate, update by update."),
               transformer.d_model(), updates_of(settings)) {}

std::string Learner::bad_numbers() const {
  if (const auto found = find_non_finite(store)) return found->message();
  const std::string moment = optimizer.bad_state();
  return moment.empty() ? "" : "the optimizer's " + moment + " holds a number that is not finite";
}

void check_memory(const Config& root, const ParameterStore& store) {
  constexpr std::int64_t kGigabyte = 1'000'000'000;
  const std::int64_t least =
      2 * store.elements() * static_cast<std::int64_t>(size_of(store.dtype()));
  const std::int64_t memory = physical_memory();
  if (least <= memory) return;
  root.object("model", "")
      .error("d_model", "makes a model of ", store.elements(),
             " parameters: weights and gradients alone need ", least / kGigabyte,
             " GB, this machine has ", memory / kGigabyte);
}

void read_whole_config(const Config& root, const Vocabularies& vocabularies) {
  const Settings settings(root);
  const Learner learner(root, settings, vocabularies);
}

}  // namespace heddle
