#include "cli/bench_batch.h"

#include <algorithm>

#include "autograd/base/random.h"

namespace heddle {

namespace {

// Numbers in [least, most], one after the other.
class Draws {
 public:
  std::int32_t operator()(std::int32_t least, std::int32_t most) {
    const double unit = 0x1p-32 * random_(0, next_++)[0];
    return least + static_cast<std::int32_t>(unit * (most - least + 1));
  }

 private:
  RandomStream random_ = random_stream({.seed = 1}, 0);
  std::uint64_t next_ = 0;
};

// Pieces of a sentence of `length` tokens, its end not among them.
void draw_text(Draws& draws, const Vocabulary& vocabulary, std::int32_t length,
               std::vector<std::int32_t>& text) {
  text.resize(static_cast<std::size_t>(length - 1));
  for (std::int32_t& id : text) id = draws(Vocabulary::kFirstPiece, vocabulary.classes() - 1);
}

}  // namespace

BenchBatch::BenchBatch(const BenchSentences& sentences, const Vocabulary& vocabulary, int lanes,
                       std::int64_t lane_tokens)
    : micro_batches_(lanes, lane_tokens) {
  const std::int32_t length = sentences.length;
  const auto shortest =
      std::max<std::int32_t>(1, static_cast<std::int32_t>(std::int64_t{length} * 3 / 4));
  PackedPairs pairs;
  Draws draws;
  std::vector<std::int32_t> source, target;
  for (std::int32_t i = 0; i < sentences.count; ++i) {
    draw_text(draws, vocabulary, draws(shortest, length), source);
    draw_text(draws, vocabulary, length, target);
    pairs.append(source, target, vocabulary.start());
  }
  micro_batches_.add(pairs);
}

}  // namespace heddle
