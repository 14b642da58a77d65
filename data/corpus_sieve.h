// Sorts the pairs of a corpus into those that are kept and those that are left out, and notes on
// the way what looks wrong with the text.
#pragma once

#include <cstdint>
#include <vector>

#include "data/corpus_report.h"
#include "data/token_cache_writer.h"

namespace heddle {

struct CorpusLimits;

/// How many lines have how many tokens.
class LengthCounts {
 public:
  void add(std::int64_t length);
  /// The least length that 99 % of the lines do not exceed; 0 without lines.
  std::int64_t usual_max() const;

 private:
  static constexpr std::int64_t kLongest = 1 << 16;  // longer ones count as this

  std::vector<std::int64_t> counts_;
  std::int64_t lines_ = 0;
};

class Sieve {
 public:
  explicit Sieve(const CorpusLimits& limits) : limits_(limits) {}

  /// Whether the next pair is kept.
  bool keeps(const TokenisedLine& source, const TokenisedLine& target);
  /// Counts the pairs read so far, kept or not.
  std::int64_t pairs() const { return report_.pairs; }
  CorpusReport report() const;

 private:
  void note_text(const TokenisedLine& source, const TokenisedLine& target);
  bool leaves_out(const TokenisedLine& source, const TokenisedLine& target);
  void count_kept(const TokenisedLine& source, const TokenisedLine& target);

  const CorpusLimits& limits_;
  CorpusReport report_;
  LengthCounts source_lengths_, target_lengths_, longer_lengths_;
};

}  // namespace heddle
