#include "train/train_config.h"

#include <algorithm>

namespace heddle {

namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 50;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
constexpr Integers kInterval = {1, kMost};

constexpr Named<DType> kDTypes[] = {{"float32", DType::kFloat32}, {"float64", DType::kFloat64}};

constexpr Named<std::optional<Metric>> kBestBy[] = {{"loss", std::nullopt},
                                                    {"exact", Metric::kExactMatch},
                                                    {"bleu", Metric::kBleu},
                                                    {"chrf", Metric::kChrf},
                                                    {"chrf++", Metric::kChrfPlusPlus},
                                                    {"wer", Metric::kWordErrorRate},
                                                    {"per", Metric::kTokenErrorRate}};

constexpr Named<BleuTokens> kBleuTokens[] = {
    {"13a", BleuTokens::k13a}, {"none", BleuTokens::kNone}, {"char", BleuTokens::kChar}};

}  // namespace

std::string_view name_of(std::optional<Metric> best_by) {
  const auto found = std::ranges::find(kBestBy, best_by, &Named<std::optional<Metric>>::value);
  return found->name;
}

TrainConfig::TrainConfig(const Config& train) {
  steps = train.integer_or("steps", "unlimited", kInterval, "Updates after which the run ends.");
  epochs = train.integer_or("epochs", "unlimited", kInterval,
                            "Passes over the training text after which the run ends.");
  batch_tokens = train.integer("batch_tokens", batch_tokens, {1, kMostTokens},
                               "Target tokens of a batch, the ends counted.");
  max_source_tokens = train
                          .integer_or("max_source_tokens", "auto", {2, kMostTokens},
                                      "Source tokens of a batch; by default twice batch_tokens.")
                          .value_or(2 * batch_tokens);
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
  report_every = train.integer("report_every", report_every, kInterval, "Updates between reports.");
  validate_every =
      train.integer("validate_every", validate_every, kInterval, "Updates between validations.");
  checkpoint_every = train.integer("checkpoint_every", checkpoint_every, kInterval,
                                   "Updates between checkpoints.");
  keep_last = train.integer("keep_last", keep_last, {1, kMost},
                            "Checkpoints that are kept: the last ones, and the best.");
  average_last = train.integer_or("average_last", "none", {2, 1000},
                                  "Checkpoints whose mean a finished run leaves in its folder "
                                  "\"averaged\": at most keep_last.");
  if (average_last && *average_last > keep_last) {
    train.error("average_last", *average_last, " checkpoints, but keep_last keeps ", keep_last);
  }
  best_by = train.choice("best_by", "loss", kBestBy,
                         "What makes a validation the best: its loss, or a metric of the greedy "
                         "translations of its text.");
  bleu_tokens = train.choice("bleu_tokens", "13a", kBleuTokens,
                             "The words of that BLEU: \"none\" for text that is tokenised.");
  patience =
      train.integer_or("patience", "unlimited", kInterval,
                       "Validations in a row that are not the best after which the run ends.");
  sample_translations = train.integer("sample_translations", sample_translations, {0, 1000},
                                      "Validation sentences whose translation is shown.");
  init_from =
      train.optional_path("init_from", "A model whose weights and tokenizer training begins with.");
}

void TrainConfig::require_end(const Config& train) {
  if (train.has("steps") || train.has("epochs")) return;
  train.error("steps", "is missing: say how long to train, with \"steps\" or \"epochs\"");
}

}  // namespace heddle
