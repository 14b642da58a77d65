#include "decode/metrics/scores.h"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>

#include "autograd/base/check.h"
#include "decode/metrics/chrf.h"
#include "decode/metrics/error_rates.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

constexpr MetricName kNames[] = {
    {"exact", Metric::kExactMatch, "lines that equal one of their references"},
    {"bleu", Metric::kBleu, "words and their n-grams, as sacreBLEU 2.6 counts them"},
    {"chrf", Metric::kChrf, "n-grams of characters"},
    {"chrf++", Metric::kChrfPlusPlus, "n-grams of characters and words"},
    {"wer", Metric::kWordErrorRate,
     "lines whose tokens are none of their references': one word a line"},
    {"per", Metric::kTokenErrorRate,
     "edits between tokens, as phonemes, and the closest reference"},
};

/// The lines that are to be scored.
struct Lines {
  std::span<const std::string> hypotheses;
  std::span<const References> references;
  std::span<const std::size_t> which;

  /// The sum of what `count` finds in each line.
  template <class Counts, class Count>
  Counts sum(const Count& count) const {
    Counts counts;
    for (const std::size_t i : which) counts += count(hypotheses[i], references[i]);
    return counts;
  }

  /// How many references every line has; none where that differs.
  std::optional<std::size_t> reference_count() const {
    if (which.empty()) return {};
    const std::size_t count = references[which.front()].size();
    const bool same =
        std::ranges::all_of(which, [&](std::size_t i) { return references[i].size() == count; });
    return same ? std::optional(count) : std::nullopt;
  }
};

std::ostringstream text_stream(int digits) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::fixed << std::setprecision(digits);
  return text;
}

// As sacreBLEU writes it: precisions, brevity penalty, lengths.
std::string bleu_detail(const Bleu& b, int orders) {
  std::ostringstream text = text_stream(1);
  for (std::size_t i = 0; i < static_cast<std::size_t>(orders); ++i) {
    text << (i == 0 ? "" : "/") << b.precisions[i];
  }
  const auto hypothesis = static_cast<double>(b.counts.hypothesis_tokens);
  const auto reference = static_cast<double>(b.counts.reference_tokens);
  text << std::setprecision(3) << " (BP = " << b.brevity_penalty
       << " ratio = " << (reference == 0.0 ? 0.0 : hypothesis / reference)
       << " hyp_len = " << b.counts.hypothesis_tokens << " ref_len = " << b.counts.reference_tokens
       << ")";
  return text.str();
}

Score score_bleu(const Lines& lines, BleuTokens tokens) {
  const BleuOptions options{.tokens = tokens};
  const auto counts = lines.sum<BleuCounts>(
      [&](const std::string& h, const References& r) { return bleu_counts(h, r, options); });
  const Bleu result = bleu(counts, options);
  return {Metric::kBleu, result.score, "BLEU", bleu_detail(result, options.max_order),
          bleu_signature(lines.reference_count(), options)};
}

ChrfOptions chrf_options(Metric metric) {
  return {.word_order = metric == Metric::kChrfPlusPlus ? 2 : 0};
}

Score score_chrf(const Lines& lines, Metric metric) {
  const bool words = metric == Metric::kChrfPlusPlus;
  const ChrfOptions options = chrf_options(metric);
  const auto counts = lines.sum<ChrfCounts>(
      [&](const std::string& h, const References& r) { return chrf_counts(h, r, options); });
  return {metric, chrf(counts, options), words ? "chrF2++" : "chrF2", "",
          chrf_signature(lines.reference_count(), options)};
}

// What a rate comes from.
std::string counts(std::int64_t part, const char* of, std::int64_t whole, const char* end = "") {
  std::string text = "(";
  return text.append(std::to_string(part)).append(of).append(std::to_string(whole)).append(end) +
         ")";
}

Score score_errors(const Lines& lines, Metric metric) {
  const auto c = lines.sum<ErrorCounts>(
      [](const std::string& h, const References& r) { return error_counts(h, r); });
  const std::string signature = references_signature(lines.reference_count());
  if (metric == Metric::kExactMatch) {
    return {metric, c.exact_match(), "exact match", counts(c.exact, " of ", c.lines),
            signature + "|tok:none"};
  }
  if (metric == Metric::kWordErrorRate) {
    return {metric, c.line_error_rate(), "word error rate", counts(c.wrong(), " of ", c.lines),
            signature + "|tok:space"};
  }
  return {metric, c.token_error_rate(), "token error rate",
          counts(c.edits, " edits, ", c.token_count, " tokens"), signature + "|tok:space"};
}

}  // namespace

std::span<const MetricName> metric_names() {
  return kNames;
}

std::string_view name_of(Metric metric) {
  return std::ranges::find(kNames, metric, &MetricName::metric)->name;
}

std::optional<Metric> metric_called(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &MetricName::name);
  return found == std::end(kNames) ? std::nullopt : std::optional(found->metric);
}

bool is_rate(Metric metric) {
  return metric == Metric::kExactMatch || !higher_is_better(metric);
}

bool higher_is_better(Metric metric) {
  return metric != Metric::kWordErrorRate && metric != Metric::kTokenErrorRate;
}

Score score(Metric metric, std::span<const std::string> hypotheses,
            std::span<const References> references, std::span<const std::size_t> which,
            BleuTokens tokens) {
  const Lines lines{hypotheses, references, which};
  switch (metric) {
    case Metric::kBleu:
      return score_bleu(lines, tokens);
    case Metric::kChrf:
    case Metric::kChrfPlusPlus:
      return score_chrf(lines, metric);
    default:
      return score_errors(lines, metric);
  }
}

double line_score(Metric metric, std::string_view hypothesis, const References& references,
                  BleuTokens tokens) {
  const BleuOptions of_sentence{.tokens = tokens, .effective_order = true};
  const auto errors = [&] { return error_counts(hypothesis, references); };
  switch (metric) {
    case Metric::kBleu:
      return bleu(bleu_counts(hypothesis, references, of_sentence), of_sentence).score;
    case Metric::kChrf:
    case Metric::kChrfPlusPlus: {
      const ChrfOptions options = chrf_options(metric);
      return chrf(chrf_counts(hypothesis, references, options), options);
    }
    case Metric::kExactMatch:
      return errors().exact_match();
    case Metric::kWordErrorRate:
      return errors().line_error_rate();
    case Metric::kTokenErrorRate:
      break;
  }
  const ErrorCounts counts = errors();
  const bool none_wanted = counts.token_count == 0 && counts.edits > 0;
  return none_wanted ? std::numeric_limits<double>::infinity() : counts.token_error_rate();
}

}  // namespace heddle
