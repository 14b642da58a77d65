#include "decode/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "autograd/base/check.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

constexpr double kLogOfZero = -9999999999.0;  // as in the reference implementation

double log_or_least(double value) {
  return value == 0.0 ? kLogOfZero : std::log(value);
}

// The length that is closest to that of the hypothesis, the shorter one of two.
std::int64_t closest(std::int64_t length, std::span<const std::u32string> references) {
  std::int64_t best = std::ssize(references.front());
  for (const std::u32string& reference : references) {
    const std::int64_t other = std::ssize(reference);
    const auto distance = std::abs(other - length), least = std::abs(best - length);
    if (distance < least || (distance == least && other < best)) best = other;
  }
  return best;
}

// Every n-gram as often as the reference that has it most often.
Ngrams most_of_all(std::span<const std::u32string> references, std::size_t n) {
  Ngrams most;
  for (const std::u32string& reference : references) {
    for (const auto& [ngram, count] : ngrams(reference, n)) {
      std::int64_t& value = most[ngram];
      value = std::max(value, count);
    }
  }
  return most;
}

double smoothing_value(const BleuOptions& options) {
  return options.smoothing_value.value_or(options.smoothing == BleuSmoothing::kAddK ? 1.0 : 0.1);
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  for (std::size_t i = 0; i < kMostBleuOrders; ++i) {
    matches[i] += other.matches[i];
    totals[i] += other.totals[i];
  }
  hypothesis_tokens += other.hypothesis_tokens;
  reference_tokens += other.reference_tokens;
  return *this;
}

BleuCounts bleu_counts(std::string_view hypothesis, std::span<const std::string> references,
                       const BleuOptions& options) {
  check(!references.empty(), "BLEU: a sentence without a reference");
  const std::string text = bleu_tokens(hypothesis, options.tokens);
  std::vector<std::string> reference_texts;
  for (const std::string& r : references) reference_texts.push_back(bleu_tokens(r, options.tokens));
  WordNumbers numbers;
  const std::u32string symbols = numbers(words_of(text));
  std::vector<std::u32string> reference_symbols;
  for (const std::string& r : reference_texts) reference_symbols.push_back(numbers(words_of(r)));

  BleuCounts counts;
  counts.hypothesis_tokens = std::ssize(symbols);
  counts.reference_tokens = closest(counts.hypothesis_tokens, reference_symbols);
  for (std::size_t n = 1; n <= static_cast<std::size_t>(options.max_order); ++n) {
    counts.totals[n - 1] = ngram_count(symbols.size(), n);
    counts.matches[n - 1] = common(ngrams(symbols, n), most_of_all(reference_symbols, n));
  }
  return counts;
}

Bleu bleu(const BleuCounts& counts, const BleuOptions& options) {
  Bleu result;
  result.counts = counts;
  if (counts.hypothesis_tokens < counts.reference_tokens) {
    result.brevity_penalty =
        counts.hypothesis_tokens == 0
            ? 0.0
            : std::exp(1.0 - static_cast<double>(counts.reference_tokens) /
                                 static_cast<double>(counts.hypothesis_tokens));
  }
  if (std::ranges::all_of(counts.matches, [](std::int64_t m) { return m == 0; })) return result;

  const double value = smoothing_value(options);
  const auto orders = static_cast<std::size_t>(options.max_order);
  std::size_t used = orders;
  double half = 1.0;  // of kExp: halved again for each order without a match
  for (std::size_t i = 0; i < orders; ++i) {
    const bool adds = options.smoothing == BleuSmoothing::kAddK && i > 0;
    const double matches = static_cast<double>(counts.matches[i]) + (adds ? value : 0.0);
    const double total = static_cast<double>(counts.totals[i]) + (adds ? value : 0.0);
    if (total == 0.0) break;
    if (options.effective_order) used = i + 1;
    double& precision = result.precisions[i];
    precision = 100.0 * matches / total;
    if (matches > 0.0) continue;
    if (options.smoothing == BleuSmoothing::kExp) precision = 100.0 * (half /= 2.0) / total;
    if (options.smoothing == BleuSmoothing::kFloor) precision = 100.0 * value / total;
  }
  double logs = 0.0;
  for (std::size_t i = 0; i < used; ++i) logs += log_or_least(result.precisions[i]);
  result.score = result.brevity_penalty * std::exp(logs / static_cast<double>(used));
  return result;
}

std::string bleu_signature(std::optional<std::size_t> references, const BleuOptions& options) {
  constexpr const char* kTokens[] = {"13a", "none", "char"};
  constexpr const char* kSmoothing[] = {"exp", "floor", "add-k", "none"};
  return references_signature(references) +
         "|case:mixed|eff:" + (options.effective_order ? "yes" : "no") +
         "|tok:" + kTokens[static_cast<int>(options.tokens)] +
         "|smooth:" + kSmoothing[static_cast<int>(options.smoothing)];
}

}  // namespace heddle
