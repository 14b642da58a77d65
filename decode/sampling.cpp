#include "decode/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/base/random.h"
#include "decode/rollout.h"

namespace heddle {

TokenSampler::TokenSampler(const SamplingOptions& options) : options_(options) {
  check(options.temperature > 0.0 && options.top_k >= 0 && options.top_p > 0.0 &&
            options.top_p <= 1.0,
        "sampling: temperature ", options.temperature, ", top_k ", options.top_k, ", top_p ",
        options.top_p, ": the first must be above 0, the last in (0, 1]");
}

// The weights of all ids; of their sum at temperature 1 the logarithm.
template <class T>
double TokenSampler::weigh(std::span<const T> scores, double largest) {
  weights_.resize(scores.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double shifted = static_cast<double>(scores[i]) - largest;
    sum += std::exp(shifted);
    weights_[i] = std::exp(shifted / options_.temperature);
  }
  return std::log(sum);
}

double TokenSampler::total_weight() const {
  double total = 0.0;
  for (const std::int32_t id : order_) total += weights_[static_cast<std::size_t>(id)];
  return total;
}

// Leaves in `order_` what may be drawn: sorted, where not all may.
template <class T>
void TokenSampler::restrict(std::span<const T> scores) {
  order_.resize(scores.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (options_.top_k == 0 && options_.top_p == 1.0) return;
  const auto at = [&](std::int32_t id) { return scores[static_cast<std::size_t>(id)]; };
  const auto likelier = [&](std::int32_t a, std::int32_t b) {
    return at(a) != at(b) ? at(a) > at(b) : a < b;
  };
  const auto k = static_cast<std::size_t>(options_.top_k);
  if (k > 0 && k < order_.size()) {
    std::nth_element(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(k), order_.end(),
                     likelier);
    order_.resize(k);
  }
  // A heap gives the likeliest first, without sorting those that are never reached.
  const auto less_likely = [&](std::int32_t a, std::int32_t b) { return likelier(b, a); };
  std::ranges::make_heap(order_, less_likely);
  const double wanted = options_.top_p * total_weight();
  auto end = order_.end();
  for (double sum = 0.0; end != order_.begin() && (options_.top_p == 1.0 || sum < wanted);) {
    std::pop_heap(order_.begin(), end--, less_likely);
    sum += weights_[static_cast<std::size_t>(*end)];
  }
  order_.erase(order_.begin(), end);
  std::ranges::reverse(order_);
}

// By the share of each in the sum of weights.
std::int32_t TokenSampler::pick(double uniform) const {
  double left = uniform * total_weight();
  std::int32_t last = order_.front();
  for (const std::int32_t id : order_) {
    const double weight = weights_[static_cast<std::size_t>(id)];
    if (weight > 0.0) last = id;  // rounding may leave a little at the end
    left -= weight;
    if (left < 0.0) break;
  }
  return last;
}

Candidate TokenSampler::operator()(const Tensor& logits, std::int64_t row, double uniform) {
  return dispatch(logits.dtype, "sampling", [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t classes = logits.shape.columns();
    const std::span scores(static_cast<const T*>(logits.data) + row * classes,
                           static_cast<std::size_t>(classes));
    const double largest = static_cast<double>(*std::ranges::max_element(scores));
    const double logsumexp = largest + weigh(scores, largest);
    check_scores(logsumexp);
    restrict(scores);
    const std::int32_t id = pick(uniform);
    return Candidate{id, static_cast<double>(scores[static_cast<std::size_t>(id)]) - logsumexp};
  });
}

std::vector<Hypothesis> sample(const Transformer& transformer, const DecodingInput& input,
                               std::span<const std::uint64_t> lines, std::size_t outputs,
                               const SamplingOptions& options, const LengthLimit& limit,
                               DecodingSpace& space) {
  TokenSampler sampler(options);
  const PhiloxKey key = {static_cast<std::uint32_t>(options.seed),
                         static_cast<std::uint32_t>(options.seed >> 32)};
  const auto drawn = [&](const Tensor& logits, std::int64_t row, const Growing& output) {
    const RandomStream stream{key, static_cast<std::uint32_t>(output.copy)};
    const PhiloxCounter bits =
        stream(static_cast<std::uint32_t>(output.position), lines[output.sentence]);
    return sampler(logits, row, unit_interval(bits[0], bits[1]));
  };
  return roll_out(transformer, input, outputs, limit, drawn, space);
}

}  // namespace heddle
