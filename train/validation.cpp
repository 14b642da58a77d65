#include "train/validation.h"

#include <algorithm>

namespace heddle {

double validation_loss(Lanes& lanes, const PairSet& pairs, const BatchOptions& options,
                       std::int64_t lane_tokens, const std::function<void()>& tick) {
  BatchOptions in_order = options;
  in_order.shuffle = false;
  in_order.source_sampler = in_order.target_sampler = nullptr;
  BatchStream stream(pairs, in_order);
  Batch batch;
  MicroBatches micro_batches(lanes.count(), lane_tokens);
  double sum = 0.0;
  std::int64_t tokens = 0;
  while (batch.after.epoch == 0) {
    tick();
    stream.next(batch);
    micro_batches.clear();
    micro_batches.add(batch.pairs);
    for (const MicroBatch& m : micro_batches.all()) sum += lanes.negative_log_likelihood(m);
    tokens += batch.pairs.target_tokens();
  }
  return sum / static_cast<double>(tokens);
}

std::vector<Score> validation_scores(Translator& translator, const PairSet& pairs,
                                     std::span<const References> references,
                                     std::span<const Metric> metrics, BleuTokens tokens) {
  if (metrics.empty()) return {};
  std::vector<std::string> sources, hypotheses;
  std::vector<References> chosen;
  std::vector<std::size_t> all;
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    TextPair text;
    pairs.cache().read(pairs[i], text);
    sources.push_back(text.source);
    const auto line = static_cast<std::size_t>(text.line - 1);
    chosen.push_back(references.empty() ? References{text.target} : references[line]);
    all.push_back(static_cast<std::size_t>(i));
  }
  for (const Translation& t : translator(sources)) hypotheses.push_back(t.text());
  std::vector<Score> scores;
  for (const Metric metric : metrics) {
    scores.push_back(score(metric, hypotheses, chosen, all, tokens));
  }
  return scores;
}

std::vector<Sample> sample_translations(Translator& translator, const PairSet& pairs,
                                        std::int64_t count) {
  std::vector<Sample> samples;
  std::vector<std::string> lines;
  for (std::int64_t i = 0; i < std::min(count, pairs.size()); ++i) {
    TextPair text;
    pairs.cache().read(pairs[i], text);
    lines.push_back(text.source);
    samples.push_back({text.source, text.target, ""});
  }
  const std::vector<Translation> translations = translator(lines);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].translation = translations[i].text();
  return samples;
}

}  // namespace heddle
