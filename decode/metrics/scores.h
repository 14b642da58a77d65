// The metrics by name: how good hypotheses are beside their references.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/metrics/bleu.h"
#include "decode/metrics/references.h"

namespace heddle {

enum class Metric { kExactMatch, kBleu, kChrf, kChrfPlusPlus, kWordErrorRate, kTokenErrorRate };

/// Its name in configs and on the command line, and what it is.
struct MetricName {
  std::string_view name;
  Metric metric;
  std::string_view about;
};
std::span<const MetricName> metric_names();
std::string_view name_of(Metric metric);
/// Nothing for a name that no metric has.
std::optional<Metric> metric_called(std::string_view name);

/// Whether it says how many of all are so, in percent.
bool is_rate(Metric metric);
/// Whether more of it is better.
bool higher_is_better(Metric metric);

struct Score {
  Metric metric;
  double value = 0.0;     // 0 to 100
  std::string label;      // "BLEU"
  std::string detail;     // what the value is made of, for people
  std::string signature;  // what was computed, in the notation of sacreBLEU
};

/// The score of the lines `which`. Throws Error where a line has no reference.
Score score(Metric metric, std::span<const std::string> hypotheses,
            std::span<const References> references, std::span<const std::size_t> which,
            BleuTokens tokens);

/// The score of one line by itself, 0 to 100 but for the token error rate, which has no upper
/// bound: it is infinite where there are tokens and the reference has none. BLEU is the mean over
/// the orders of n-grams that the line is long enough for, as sacreBLEU has it for sentences.
double line_score(Metric metric, std::string_view hypothesis, const References& references,
                  BleuTokens tokens);

}  // namespace heddle
