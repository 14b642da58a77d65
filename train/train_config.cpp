#include "train/train_config.h"

#include <algorithm>

namespace heddle {

namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 50;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
constexpr Integers kCount = {1, kMost};

constexpr Named<DType> kDTypes[] = {{"float32", DType::kFloat32}, {"float64", DType::kFloat64}};

constexpr Named<BleuTokens> kBleuTokens[] = {
    {"13a", BleuTokens::k13a}, {"none", BleuTokens::kNone}, {"char", BleuTokens::kChar}};

/// Read from `key` and "<key>_epochs".
Interval interval(const Config& train, const std::string& key, const std::string& what) {
  Interval interval{train.integer(key, 500, kCount, "Updates between " + what + ".")};
  interval.epochs =
      train.integer_or(key + "_epochs", "none", kCount,
                       "Passes over the training text between " + what + ", instead of updates.");
  return interval;
}

}  // namespace

void TrainConfig::read_validation(const Config& train) {
  validate_every = interval(train, "validate_every", "validations");
  std::vector<std::string_view> names = {"loss"};
  for (const MetricName& metric : metric_names()) names.push_back(metric.name);
  const std::size_t best = train.choice("best_by", "loss", names,
                                        "What makes a validation the best: its loss, or a metric "
                                        "of the translations of its text, and of equal ones the "
                                        "loss.");
  best_by = metric_called(names[best]);
  for (const std::size_t i : train.choices("metrics", std::span(names).subspan(1),
                                           "What validations measure besides the loss; what "
                                           "best_by names is measured anyway.")) {
    metrics.push_back(metric_names()[i].metric);
  }
  if (best_by && std::ranges::count(metrics, *best_by) == 0) metrics.push_back(*best_by);
  bleu_tokens = train.choice("bleu_tokens", "13a", kBleuTokens,
                             "The words of that BLEU: \"none\" for text that is tokenised.");
  validation_beam =
      static_cast<int>(train.integer("validation_beam", validation_beam, {1, kLargestBeam},
                                     "Hypotheses that compete in the translations of validations; "
                                     "1 is greedy search."));
  patience =
      train.integer_or("patience", "unlimited", kCount,
                       "Validations in a row after which the run ends if neither best_by nor the "
                       "loss was better than ever before.");
  sample_translations = train.integer("sample_translations", sample_translations, {0, 1000},
                                      "Validation sentences whose translation is shown.");
}

void TrainConfig::read_checkpoints(const Config& train) {
  checkpoint_every = interval(train, "checkpoint_every", "checkpoints");
  keep_last = train.integer("keep_last", keep_last, kCount, "The last checkpoints that are kept.");
  keep_best = train.integer("keep_best", keep_best, {1, 1000},
                            "The best validations whose checkpoints are kept.");
  const auto averaged = [&](const char* key, const char* kept, std::int64_t most,
                            const char* about) {
    const auto count = train.integer_or(key, "none", {2, 1000}, about);
    if (count && *count > most) {
      train.error(key, *count, " checkpoints, but ", kept, " keeps ", most);
    }
    return count;
  };
  average_last = averaged("average_last", "keep_last", keep_last,
                          "The last checkpoints whose mean a finished run leaves in its folder "
                          "\"averaged\": at most keep_last.");
  average_best = averaged("average_best", "keep_best", keep_best,
                          "The same for the best ones: at most keep_best.");
  if (average_last && average_best && train.has("average_last") && train.has("average_best")) {
    train.error("average_best", "there is one \"averaged\": leave out average_last, or this");
  }
}

void TrainConfig::read_recovery(const Config& train) {
  max_skipped = train.integer("max_skipped", max_skipped, kCount,
                              "Updates in a row without a finite loss and gradient, which are "
                              "skipped, with which the run goes back to its last good "
                              "checkpoint.");
  max_rollbacks =
      train.integer("max_rollbacks", max_rollbacks, {0, 1000}, "How often it may; then it ends.");
  rollback_factor = train.number("rollback_factor", rollback_factor,
                                 {.least = 0.0, .most = 1.0, .least_excluded = true},
                                 "By what the learning rate is multiplied each time.");
  save_timeout = train.integer("save_timeout", save_timeout, {0, 1 << 30},
                               "Seconds for which writing that fails, on a full disk for example, "
                               "is tried again before the run ends.");
}

TrainConfig::TrainConfig(const Config& train) {
  steps = train.integer_or("steps", "unlimited", kCount, "Updates after which the run ends.");
  epochs = train.integer_or("epochs", "unlimited", kCount,
                            "Passes over the training text after which the run ends.");
  batch_tokens = train.integer("batch_tokens", batch_tokens, {1, kMostTokens},
                               "Target tokens of a batch, the ends counted.");
  const auto most_source =
      train.integer_or("max_source_tokens", "auto", {2, kMostTokens},
                       "Source tokens of a batch; by default twice batch_tokens.");
  max_source_given = most_source.has_value();
  max_source_tokens = most_source.value_or(2 * batch_tokens);
  accumulate = train.integer("accumulate", accumulate, {1, 1 << 20},
                             "Batches whose gradients make one update.");
  lane_tokens = train.integer(
      "lane_tokens", lane_tokens, {1, kMostTokens},
      "Tokens per side that a lane computes at once: memory grows with it; results depend on it.");
  label_smoothing = train.number("label_smoothing", label_smoothing, Numbers::probability(),
                                 "Share of the probability that is spread over all tokens.");
  clip_norm = train.number("clip_norm", clip_norm, {.least = 0.0},
                           "The largest global norm of the gradients; 0 for no bound.");
  lanes = train.integer_or("lanes", "auto", {1, 1024},
                           "Parts of a batch that are computed side by side; results depend on "
                           "it. By default as many as processors, at most 8.");
  dtype = train.choice("dtype", "float32", kDTypes, "The type of all numbers.");
  ema_decay =
      train.number_or("ema_decay", "none", {.least = 0.0, .most = 1.0, .most_excluded = true},
                      "Of a moving average of the weights, 0.999 for example, which then "
                      "validates and translates in their place.");
  report_every = train.integer("report_every", report_every, kCount, "Updates between reports.");
  read_validation(train);
  read_checkpoints(train);
  read_recovery(train);
  init_from =
      train.optional_path("init_from", "A model whose weights and tokenizer training begins with.");
}

void TrainConfig::require_end(const Config& train) {
  if (train.has("steps") || train.has("epochs")) return;
  train.error("steps", "is missing: say how long to train, with \"steps\" or \"epochs\"");
}

}  // namespace heddle
