// How many lines and how many of their tokens are wrong.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heddle {

/// The fewest insertions, deletions and substitutions of symbols that make `b` of `a`
/// (Levenshtein).
std::int64_t edit_distance(std::u32string_view a, std::u32string_view b);

struct ErrorCounts {
  std::int64_t lines = 0;
  std::int64_t exact = 0;                   // lines that equal one of their references
  std::int64_t right = 0;                   // lines that have the tokens of one
  std::int64_t edits = 0, token_count = 0;  // to the closest references, and the tokens of these

  ErrorCounts& operator+=(const ErrorCounts& other);
  double exact_match() const;  // in per cent, as all rates here
  std::int64_t wrong() const { return lines - right; }
  double line_error_rate() const;   // where a line is a word: the word error rate
  double token_error_rate() const;  // where a token is a phoneme: the phoneme error rate
};

/// Of one line. Tokens stand between white space; the closest reference is that with the fewest
/// edits, of several the first. There must be at least one.
ErrorCounts error_counts(std::string_view hypothesis, std::span<const std::string> references);

}  // namespace heddle
