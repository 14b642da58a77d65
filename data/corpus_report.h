// What a pass over a corpus found: how many pairs there are, and why some are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle {

/// How many lines, or tokens, are of a kind, and where the first one is.
struct Finding {
  std::int64_t count = 0;
  std::int64_t line = 0;  // from 1

  void note(std::int64_t number, std::int64_t more = 1) {
    if (more > 0 && count == 0) line = number;
    count += more;
  }
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// What is noticed about one side.
struct SideFindings {
  Finding unknown;             // tokens of the kept pairs that the vocabulary lacks
  Finding tabs;                // lines with tabs
  std::int64_t usual_max = 0;  // tokens, the end included, of which 99 % of the lines have no more
  std::uint64_t text = 0;      // a number for the text of all lines

  friend bool operator==(const SideFindings&, const SideFindings&) = default;
};

struct CorpusFindings {
  SideFindings source, target;
  Finding same;   // pairs whose sides are the same text
  Finding empty;  // pairs that are left out, by their reasons
  Finding too_long;
  Finding source_too_long;
  std::int64_t usual_max = 0;  // of the longer side

  friend bool operator==(const CorpusFindings&, const CorpusFindings&) = default;
};

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
  CorpusFindings found;  // what warnings are made of: see corpus_warnings.h

  /// The share of unknown tokens in percent, ends not counted.
  double source_unknown() const;
  double target_unknown() const;
  /// Like "8000 pairs, 7990 kept; left out: 4 with an empty side, 6 with a side longer than
  /// max_length; source lines ending in \r\n: 3; unknown tokens: 0.0 % of the source, 1.2 % of the
  /// target". `source_limit` is what sets the largest number of tokens of a source.
  std::string message(std::string_view source_limit = kSourceLimit) const;

  friend bool operator==(const CorpusReport&, const CorpusReport&) = default;
};

}  // namespace heddle
