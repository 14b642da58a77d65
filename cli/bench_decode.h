// The other half of `heddle bench`: how fast does a trained model translate a file?
#pragma once

#include <cstdint>
#include <string>

#include "cli/search_options.h"

namespace heddle {

struct DecodeReport {
  std::string model;
  std::string limit = {};  // the most tokens of an output, in words
  int threads = 1, beam = 1, runs = 0;
  std::int64_t sentences = 0, output_tokens = 0;  // of a run, ends not counted
  double seconds = 0.0;                           // of a run, the median
  double load_seconds = 0.0;
  double single_seconds = 0.0;  // the median of sentences that are translated alone
  double gemm_flops = 0.0;      // a second, of sgemm 4096x128x128 in all lanes
  std::int64_t peak_bytes = 0;

  double tokens_per_sentence() const;
  /// Output tokens a second in proportion to what sgemm reaches, so that machines compare.
  double scaled_tokens_per_second() const;
  std::string text() const;
  std::string json() const;
};

/// Translates the lines of `source` as a whole, several times, then some of them alone. `threads`
/// and what `search` changes count, not what the file holds. Throws DataError for a file without
/// lines.
DecodeReport bench_decode(const std::string& model, const std::string& source,
                          const SearchOptions& search, int threads);

}  // namespace heddle
