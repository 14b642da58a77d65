#include "data/batch.h"

#include <algorithm>

#include "autograd/base/check.h"
#include "autograd/base/random.h"

namespace heddle {

namespace {

// Rows of a batch are counted in 32 bits.
constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
// A read maps 64 KiB or more around it.
constexpr int kReadsBetweenReleases = 64;

void append_sentence(std::span<const std::int32_t> ids, std::vector<std::int32_t>& all,
                     std::vector<Sequence>& sequences) {
  sequences.push_back(
      {static_cast<std::int32_t>(all.size()), static_cast<std::int32_t>(ids.size()) + 1});
  all.insert(all.end(), ids.begin(), ids.end());
  all.push_back(Vocabulary::kEnd);
}

std::span<const std::int32_t> rows(const std::vector<std::int32_t>& ids, const Sequence& sequence) {
  return std::span(ids).subspan(static_cast<std::size_t>(sequence.begin),
                                static_cast<std::size_t>(sequence.length));
}

}  // namespace

void PackedPairs::clear() {
  for (auto* ids : {&source_ids, &target_input, &target_output}) ids->clear();
  source.clear();
  target.clear();
}

void PackedPairs::append(std::span<const std::int32_t> source_text,
                         std::span<const std::int32_t> target_text, std::int32_t start) {
  append_sentence(source_text, source_ids, source);
  append_sentence(target_text, target_output, target);
  target_input.push_back(start);
  target_input.insert(target_input.end(), target_text.begin(), target_text.end());
}

void PackedPairs::append(const PackedPairs& other, std::size_t i) {
  const auto source_rows = rows(other.source_ids, other.source[i]);
  const auto target_rows = rows(other.target_output, other.target[i]);
  append(source_rows.first(source_rows.size() - 1), target_rows.first(target_rows.size() - 1),
         rows(other.target_input, other.target[i]).front());
}

BatchStream::BatchStream(const PairSet& pairs, const BatchOptions& options, const Cursor& from)
    : pairs_(pairs), options_(options), cursor_(from) {
  check(options.batch_tokens >= 1, "BatchStream: batches of ", options.batch_tokens, " tokens");
  check<DataError>(from.epoch >= 0 && from.position >= 0 && from.position < pairs.size(),
                   "cannot go on behind pair ", from.position, " of epoch ", from.epoch,
                   ": the corpus has ", pairs.size(), " pairs; it is not the one of that run");
  options_.batch_tokens = std::min(options.batch_tokens, kMostTokens);
  options_.max_source_tokens = std::min(options.max_source_tokens, kMostTokens);
}

void BatchStream::next(Batch& batch) {
  batch.pairs.clear();
  batch.lines.clear();
  Cursor cursor = cursor_;
  if (options_.shuffle && !order_) {
    order_.emplace(pairs_.size(), options_.seed, Shuffle::kEpoch,
                   static_cast<std::uint64_t>(cursor.epoch));
  }
  for (; cursor.position < pairs_.size(); ++cursor.position) {
    load(pairs_[order_ ? (*order_)(cursor.position) : cursor.position]);
    const std::int64_t source_tokens = batch.pairs.source_tokens() + std::ssize(pair_.source) + 1;
    const std::int64_t target_tokens = batch.pairs.target_tokens() + std::ssize(pair_.target) + 1;
    const bool fits =
        source_tokens <= options_.max_source_tokens && target_tokens <= options_.batch_tokens;
    if (!fits && !batch.lines.empty()) break;
    batch.pairs.append(pair_.source, pair_.target, pairs_.cache().target_vocabulary().start());
    batch.lines.push_back(pair_.line);
  }
  if (cursor.position == pairs_.size()) {
    cursor = {cursor.epoch + 1, 0};
    order_.reset();
  }
  cursor_ = batch.after = cursor;
}

/// Pair `number` of the cache into pair_.
void BatchStream::load(std::int64_t number) {
  const TokenCache& cache = pairs_.cache();
  if (++reads_ >= kReadsBetweenReleases) {
    cache.release();
    reads_ = 0;
  }
  cache.read(number, pair_);
  if (options_.source_sampler != nullptr || options_.target_sampler != nullptr) sample(number);
}

void BatchStream::sample(std::int64_t number) {
  pairs_.cache().read(number, text_);
  const auto epoch = static_cast<std::uint64_t>(cursor_.epoch);
  const auto line = static_cast<std::uint64_t>(pair_.line);
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const PhiloxCounter bits = philox({low(epoch), high(epoch), low(line), high(line)},
                                    {low(options_.seed), high(options_.seed)});
  const auto draw = [&](const Tokenizer* sampler, const std::string& text, std::size_t side,
                        std::int64_t longest, std::vector<std::int32_t>& ids) {
    if (sampler == nullptr) return;
    sampled_.clear();
    sampler->sample(text, std::uint64_t{bits[side + 1]} << 32 | bits[side], sampled_);
    if (!sampled_.empty() && std::ssize(sampled_) < longest) ids.swap(sampled_);
  };
  draw(options_.source_sampler, text_.source, 0,
       std::min(options_.max_length, options_.max_source_tokens), pair_.source);
  draw(options_.target_sampler, text_.target, 2, options_.max_length, pair_.target);
}

}  // namespace heddle
