#include "decode/scorer.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "autograd/base/parallel.h"
#include "data/white_space.h"

namespace heddle {

bool append_readable(const TrainedModel& model, std::string_view source, std::string_view target,
                     PackedPairs& pairs) {
  const Transformer& transformer = model.transformer();
  if (!has_text(source) || !has_text(target)) return false;
  std::vector<std::int32_t> from, to;
  model.tokenizers().source().encode(source, from);
  model.tokenizers().target().encode(target, to);
  const auto fits = [&](const std::vector<std::int32_t>& ids, std::int64_t positions) {
    return !ids.empty() && std::ssize(ids) < std::min(positions, model.longest_line());
  };
  const bool readable =
      fits(from, transformer.longest_source()) && fits(to, transformer.longest_target());
  if (readable) pairs.append(from, to, transformer.vocabularies().target.start());
  return readable;
}

std::vector<double> negative_log_likelihoods(const Transformer& transformer,
                                             std::span<const PackedPairs> batches, int threads) {
  std::vector<double> losses(batches.size());
  std::atomic<std::size_t> next = 0;
  run_lanes(threads, threads, 1, [&](int) {
    Context context;
    std::vector<double> weights;
    for (std::size_t i = next++; i < batches.size(); i = next++) {
      const PackedPairs& pairs = batches[i];
      weights.assign(pairs.target_output.size(), 1.0);
      const Examples examples{{pairs.source_ids, Sequences(pairs.source)},
                              {pairs.target_input, Sequences(pairs.target)},
                              pairs.target_output};
      context.begin(Mode::kInference);
      losses[i] = transformer.loss(context, examples, weights, 0.0).value();
    }
  });
  return losses;
}

double negative_log_likelihood(const Transformer& transformer, std::span<const PackedPairs> batches,
                               int threads) {
  const std::vector<double> losses = negative_log_likelihoods(transformer, batches, threads);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace heddle
