// Batches of sentence pairs, packed: ids of one sentence after the other, and where each begins.
//
// A stream hands out all pairs of an epoch in an order of their own and starts the next epoch with
// a batch of its own. What a batch holds depends on the corpus, the options and the cursor before
// it alone, so that a run can be taken up behind any batch.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "autograd/base/sequences.h"
#include "data/corpus.h"
#include "data/token_cache.h"
#include "data/tokenizer.h"

namespace heddle {

/// Sentence pairs to learn from. Of a target y that ends in Vocabulary::kEnd, the input is (start,
/// y without its last id) and the output is y.
struct PackedPairs {
  std::vector<std::int32_t> source_ids;                   // each sentence ends in kEnd
  std::vector<std::int32_t> target_input, target_output;  // of the same length
  std::vector<Sequence> source, target;                   // as many as there are pairs

  void clear();
  /// Appends a pair of ids without ends; `start` is the target vocabulary's.
  void append(std::span<const std::int32_t> source_text, std::span<const std::int32_t> target_text,
              std::int32_t start);
  /// Appends pair `i` of `other`.
  void append(const PackedPairs& other, std::size_t i);

  std::int64_t source_tokens() const { return std::ssize(source_ids); }
  std::int64_t target_tokens() const { return std::ssize(target_output); }  // ends included
};

/// A place between two batches of a stream.
struct Cursor {
  std::int64_t epoch = 0;     // from 0
  std::int64_t position = 0;  // pairs of the epoch before this place; less than the corpus has

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

struct Batch {
  PackedPairs pairs;
  std::vector<std::int64_t> lines;  // of each pair, from 1
  Cursor after;
};

struct BatchOptions {
  std::int64_t batch_tokens = 4096;  // of targets, ends included
  /// Of sources, ends included.
  std::int64_t max_source_tokens = std::numeric_limits<std::int64_t>::max();
  std::uint64_t seed = 1;
  bool shuffle = true;
  /// Tokenizers that segment each text anew in every epoch; null: the ids of the cache. Where the
  /// new segmentation has more than max_length tokens, end included, that of the cache is taken.
  const Tokenizer* source_sampler = nullptr;
  const Tokenizer* target_sampler = nullptr;
  std::int64_t max_length = std::numeric_limits<std::int64_t>::max();
};

class BatchStream {
 public:
  /// Throws DataError where `from` is no place in the corpus.
  BatchStream(const PairSet& pairs, const BatchOptions& options, const Cursor& from = {});

  /// The next batch: as many pairs as both limits allow, at least one, of one epoch. Allocates
  /// nothing in a batch that was as large before. Throws as TokenCache::read() does; then the
  /// stream is where it was.
  void next(Batch& batch);

 private:
  void load(std::int64_t number);
  void sample(std::int64_t number);

  PairSet pairs_;
  BatchOptions options_;
  Cursor cursor_;
  std::optional<Permutation> order_;  // of the cursor's epoch
  TokenPair pair_;
  TextPair text_;
  std::vector<std::int32_t> sampled_;
  int reads_ = 0;  // since memory was given back
};

}  // namespace heddle
