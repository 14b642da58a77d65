// A parallel corpus: two files of text, of which line n of one translates line n of the other.
//
// One pass checks it, tokenises it on several threads and writes the token cache that training
// reads; nothing but a few thousand lines is in memory. Where the cache of an earlier run fits, it
// is taken as it is: its key names the files with size and time, the tokenizers by a checksum of
// what they serialise to, and the limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "data/corpus_permutation.h"
#include "data/token_cache.h"
#include "data/tokenizer.h"

namespace heddle {

struct CorpusSide {
  std::filesystem::path file;
  const Tokenizer* tokenizer = nullptr;  // never null; the two sides may share one
};

struct CorpusLimits {
  std::int64_t max_length = 128;  // tokens of either side, the end included
  /// Tokens of a source, the end included.
  std::int64_t max_source_tokens = std::numeric_limits<std::int64_t>::max();
  std::string_view source_limit = CorpusReport::kSourceLimit;  // what messages call it
  /// Decoding gives up after factor * source + extra tokens (ends counted); pairs with longer
  /// targets are kept and reported as unreachable.
  double reach_factor = std::numeric_limits<double>::infinity();
  std::int64_t reach_extra = 0;
};

struct Corpus {
  CorpusSide source, target;
  CorpusLimits limits;
};

/// What a cache depends on, a line for each thing. Throws FileError for files that cannot be read.
std::string corpus_key(const Corpus& corpus);

struct OpenedCorpus {
  TokenCache cache;
  bool reused = false;  // the cache was there already
};

/// The corpus as tokens, from the cache file where it fits; else the file is written by `threads`
/// threads. `progress`, if any, is called now and then with the number of pairs so far; what it
/// throws stops the pass, and leaves no file behind.
///
/// Throws FileError for files that cannot be read, written or uncompressed, and DataError, naming
/// file and line, where the files differ in length, a line is no UTF-8, or no pair is left.
OpenedCorpus open_corpus(const Corpus& corpus, const std::filesystem::path& cache_file, int threads,
                         const std::function<void(std::int64_t)>& progress = {});

/// Some pairs of a cache, numbered anew from 0. Cheap to copy; the cache must outlive it.
class PairSet {
 public:
  /// All of them.
  explicit PairSet(const TokenCache& cache) : cache_(&cache), begin_(0), size_(cache.pairs()) {}

  std::int64_t size() const { return size_; }
  /// Pair `i` as the cache numbers it.
  std::int64_t operator[](std::int64_t i) const { return order_ ? (*order_)(begin_ + i) : i; }
  const TokenCache& cache() const { return *cache_; }

 private:
  friend struct HeldOut;
  PairSet(const TokenCache& cache, const Permutation& order, std::int64_t begin, std::int64_t size)
      : cache_(&cache), order_(order), begin_(begin), size_(size) {}

  const TokenCache* cache_;
  std::optional<Permutation> order_;  // none: as they are
  std::int64_t begin_, size_;
};

/// A corpus in two parts: the first `count` pairs of an order that depends on the seed alone are
/// for validation, all others for training.
struct HeldOut {
  /// Throws DataError unless pairs are left to train on.
  HeldOut(const TokenCache& cache, std::int64_t count, std::uint64_t seed);

  PairSet train, valid;
};

}  // namespace heddle
