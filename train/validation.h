// How well a model does on text that it does not learn from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/corpus.h"
#include "decode/metrics/scores.h"
#include "decode/translator.h"
#include "train/micro_batches.h"

namespace heddle {

/// The negative log-likelihood per target token, ends counted, without label smoothing and dropout,
/// of all pairs: its exponential is the perplexity. `lane_tokens`: see MicroBatches. `tick` is
/// called between batches; it may throw to stop.
double validation_loss(
    Lanes& lanes, const PairSet& pairs, const BatchOptions& options, std::int64_t lane_tokens,
    const std::function<void()>& tick = [] {});

/// Metrics of the translations of all pairs, against the references of their lines; where
/// `references` is empty, against their targets.
std::vector<Score> validation_scores(Translator& translator, const PairSet& pairs,
                                     std::span<const References> references,
                                     std::span<const Metric> metrics, BleuTokens tokens);

struct Sample {
  std::string source, target, translation;
};

/// Translations of the first `count` pairs.
std::vector<Sample> sample_translations(Translator& translator, const PairSet& pairs,
                                        std::int64_t count);

}  // namespace heddle
