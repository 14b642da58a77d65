// chrF and chrF++ (Popović 2015, 2017), as sacreBLEU 2.6 computes them: the numbers are the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heddle {

inline constexpr std::size_t kChrfCharacters = 6;  // orders of character n-grams

struct ChrfOptions {
  int word_order = 0;  // of word n-grams as well: 0 for chrF, 2 for chrF++
  /// The mean of the F scores of all orders, as chrF++.py computes it, instead of the F score of
  /// mean precision and mean recall over the orders that a text is long enough for.
  bool epsilon_smoothing = false;
};

/// What chrF of a corpus is computed from: sums over its sentences.
struct ChrfCounts {
  struct Order {
    std::int64_t hypothesis = 0, reference = 0, matches = 0;  // n-grams
  };
  std::array<Order, kChrfCharacters + 2> orders{};  // of characters, then of words

  ChrfCounts& operator+=(const ChrfCounts& other);
};

/// Of one sentence and the reference that it is closest to; there must be at least one.
ChrfCounts chrf_counts(std::string_view hypothesis, std::span<const std::string> references,
                       const ChrfOptions& options);

/// The F score, 0 to 100, in which recall weighs twice as much as precision.
double chrf(const ChrfCounts& counts, const ChrfOptions& options);

/// What was computed, for example "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no".
std::string chrf_signature(std::optional<std::size_t> references, const ChrfOptions& options);

}  // namespace heddle
