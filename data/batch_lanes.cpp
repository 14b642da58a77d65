#include "data/batch_lanes.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "autograd/base/check.h"

namespace heddle {

namespace {

// The length at which a token's attention costs as much as its matrix products is 4 to 6 times
// d_model; this one is that of small models, where lanes matter most.
constexpr std::int64_t kAttentionLength = 1024;

std::int64_t work_of(const Sequence& source, const Sequence& target) {
  const std::int64_t s = source.length, t = target.length;
  return (s + t) * kAttentionLength + s * s + t * t + s * t;
}

}  // namespace

void LaneSplit::split(const PackedPairs& pairs, int lanes) {
  check(lanes >= 1, "LaneSplit: ", lanes, " lanes");
  pair_work_.resize(pairs.source.size());
  for (std::size_t i = 0; i < pairs.source.size(); ++i) {
    pair_work_[i] = work_of(pairs.source[i], pairs.target[i]);
  }
  const auto work = [&](std::int32_t i) { return pair_work_[static_cast<std::size_t>(i)]; };
  order_.resize(pairs.source.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
    return std::tuple(-work(a), a) < std::tuple(-work(b), b);
  });
  sentences_.resize(static_cast<std::size_t>(lanes));
  for (auto& sentences : sentences_) sentences.clear();
  work_.assign(static_cast<std::size_t>(lanes), 0);
  for (const std::int32_t i : order_) {
    const auto least = std::min_element(work_.begin(), work_.end());  // the first of equals
    *least += work(i);
    sentences_[static_cast<std::size_t>(least - work_.begin())].push_back(i);
  }
  for (auto& sentences : sentences_) std::sort(sentences.begin(), sentences.end());
}

// A pair counts by its longer side, so that both sides keep within the bound.
void cut(const PackedPairs& pairs, std::span<const std::int32_t> which, std::int64_t most_tokens,
         std::vector<std::span<const std::int32_t>>& pieces) {
  const auto tokens_of = [&](std::int32_t pair) -> std::int64_t {
    const auto i = static_cast<std::size_t>(pair);
    return std::max(pairs.source[i].length, pairs.target[i].length);
  };
  std::int64_t tokens = 0;
  for (const std::int32_t i : which) tokens += tokens_of(i);
  const std::int64_t count = (tokens + most_tokens - 1) / most_tokens;
  pieces.clear();
  std::int64_t before = 0, size = 0;  // tokens of the pieces that are cut off, and of this one
  std::size_t begin = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    const std::int64_t more = tokens_of(which[i]);
    const std::int64_t share = tokens * (std::ssize(pieces) + 1) / count;  // of pieces and this one
    if (size > 0 && (size + more > most_tokens || before + size + more / 2 >= share)) {
      pieces.push_back(which.subspan(begin, i - begin));
      begin = i;
      before += size;
      size = 0;
    }
    size += more;
  }
  if (size > 0) pieces.push_back(which.subspan(begin));
}

void pack(const PackedPairs& pairs, std::span<const std::int32_t> which, PackedPairs& lane) {
  lane.clear();
  for (const std::int32_t i : which) lane.append(pairs, static_cast<std::size_t>(i));
}

}  // namespace heddle
