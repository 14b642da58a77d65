// BLEU (Papineni et al. 2002), as sacreBLEU 2.6 computes it (Post 2018): the numbers are the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heddle {

/// What a word is: `k13a` as in mteval-v13a, for text as people write it; `kNone` what stands
/// between white space, for text that is tokenised already; `kChar` every character.
enum class BleuTokens { k13a, kNone, kChar };
/// What stands for the precision of n-grams that never match (Chen and Cherry 2014).
enum class BleuSmoothing { kExp, kFloor, kAddK, kNone };

struct BleuOptions {
  BleuTokens tokens = BleuTokens::k13a;
  BleuSmoothing smoothing = BleuSmoothing::kExp;
  std::optional<double> smoothing_value = {};  // by default 0.1 for kFloor, 1 for kAddK
  int max_order = 4;                           // of n-grams, 1 to 6
  /// Average over the orders that a text is long enough for: for single sentences.
  bool effective_order = false;
};

inline constexpr std::size_t kMostBleuOrders = 6;

/// What BLEU of a corpus is computed from: sums over its sentences.
struct BleuCounts {
  std::array<std::int64_t, kMostBleuOrders> matches{}, totals{};  // n-grams of order i + 1
  std::int64_t hypothesis_tokens = 0, reference_tokens = 0;       // of the closest references

  BleuCounts& operator+=(const BleuCounts& other);
};

struct Bleu {
  double score = 0.0;                                // 0 to 100
  std::array<double, kMostBleuOrders> precisions{};  // in per cent
  double brevity_penalty = 1.0;
  BleuCounts counts;
};

/// The line in tokens, a space between each two.
std::string bleu_tokens(std::string_view line, BleuTokens tokens);

/// Of one sentence; there must be at least one reference.
BleuCounts bleu_counts(std::string_view hypothesis, std::span<const std::string> references,
                       const BleuOptions& options);

Bleu bleu(const BleuCounts& counts, const BleuOptions& options);

/// What was computed, for example "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"; `references` of a
/// sentence, none where sentences have different numbers of them.
std::string bleu_signature(std::optional<std::size_t> references, const BleuOptions& options);

}  // namespace heddle
