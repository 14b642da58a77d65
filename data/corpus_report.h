// What a pass over a corpus found: how many pairs there are, and why some are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle {

struct CorpusReport {
  static constexpr std::string_view kSourceLimit = "max_source_tokens";

  std::int64_t pairs = 0;            // lines of each file
  std::int64_t kept = 0;             // the rest is left out for the first reason that holds:
  std::int64_t empty = 0;            // a side without text or tokens
  std::int64_t too_long = 0;         // a side of more than max_length tokens
  std::int64_t source_too_long = 0;  // a source that fits no batch
  std::int64_t source_crlf = 0;      // lines that ended in "\r\n"
  std::int64_t target_crlf = 0;
  std::int64_t unreachable = 0;    // kept pairs whose target decoding would cut
  std::int64_t source_tokens = 0;  // of the kept pairs, with their ends
  std::int64_t target_tokens = 0;

  /// Like "8000 pairs, 7990 kept; left out: 4 with an empty side, 6 with a side longer than
  /// max_length; source lines ending in \r\n: 3".
  /// `source_limit` is what sets the largest number of tokens of a source.
  std::string message(std::string_view source_limit = kSourceLimit) const;

  friend bool operator==(const CorpusReport&, const CorpusReport&) = default;
};

}  // namespace heddle
