#include "decode/metrics/chrf.h"

#include "autograd/base/check.h"
#include "data/utf8.h"
#include "data/white_space.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

std::u32string without_white_space(std::string_view line) {
  std::u32string characters;
  for (const CodePoint& c : CodePoints(line)) {
    if (!is_white_space(c.value)) characters.push_back(c.value);
  }
  return characters;
}

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// Words without one character of punctuation at their end or else at their begin, which is a word
// of its own.
std::vector<std::string_view> words_and_punctuation(std::string_view line) {
  std::vector<std::string_view> parts;
  for (const std::string_view word : words_of(line)) {
    if (first_code_point(word).bytes.size() == word.size()) {
      parts.push_back(word);
    } else if (is_punctuation(word.back())) {
      parts.insert(parts.end(), {word.substr(0, word.size() - 1), word.substr(word.size() - 1)});
    } else if (is_punctuation(word.front())) {
      parts.insert(parts.end(), {word.substr(0, 1), word.substr(1)});
    } else {
      parts.push_back(word);
    }
  }
  return parts;
}

double ratio(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

double f_score(double precision, double recall) {
  constexpr double kBetaSquared = 4.0;
  if (precision + recall == 0.0) return 0.0;
  return (1.0 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

ChrfCounts::Order count_order(std::u32string_view hypothesis, std::u32string_view reference,
                              std::size_t n) {
  const std::int64_t of_reference = ngram_count(reference.size(), n);
  if (of_reference == 0) return {};
  return {ngram_count(hypothesis.size(), n), of_reference,
          common(ngrams(hypothesis, n), ngrams(reference, n))};
}

ChrfCounts count_pair(std::string_view hypothesis, std::string_view reference,
                      const ChrfOptions& options) {
  ChrfCounts counts;
  const std::u32string a = without_white_space(hypothesis), b = without_white_space(reference);
  for (std::size_t n = 1; n <= kChrfCharacters; ++n) counts.orders[n - 1] = count_order(a, b, n);
  WordNumbers numbers;
  const std::u32string words_a = numbers(words_and_punctuation(hypothesis));
  const std::u32string words_b = numbers(words_and_punctuation(reference));
  for (std::size_t n = 1; n <= static_cast<std::size_t>(options.word_order); ++n) {
    counts.orders[kChrfCharacters + n - 1] = count_order(words_a, words_b, n);
  }
  return counts;
}

}  // namespace

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
  for (std::size_t i = 0; i < orders.size(); ++i) {
    orders[i].hypothesis += other.orders[i].hypothesis;
    orders[i].reference += other.orders[i].reference;
    orders[i].matches += other.orders[i].matches;
  }
  return *this;
}

ChrfCounts chrf_counts(std::string_view hypothesis, std::span<const std::string> references,
                       const ChrfOptions& options) {
  check(!references.empty(), "chrF: a sentence without a reference");
  ChrfCounts best;
  double best_score = -1.0;
  for (const std::string& reference : references) {
    const ChrfCounts counts = count_pair(hypothesis, reference, options);
    const double score = chrf(counts, options);
    if (score <= best_score) continue;
    best = counts;
    best_score = score;
  }
  return best;
}

double chrf(const ChrfCounts& counts, const ChrfOptions& options) {
  double precisions = 0.0, recalls = 0.0, scores = 0.0;
  int used = 0;
  for (const ChrfCounts::Order& order : counts.orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    const double precision = ratio(order.matches, order.hypothesis);
    const double recall = ratio(order.matches, order.reference);
    precisions += precision;
    recalls += recall;
    scores += f_score(precision, recall);
    ++used;
  }
  if (used == 0) return 0.0;
  if (options.epsilon_smoothing) {  // the epsilons are 1e-16 for orders without n-grams: nothing
    return 100.0 * scores /
           static_cast<double>(static_cast<int>(kChrfCharacters) + options.word_order);
  }
  return 100.0 * f_score(precisions / used, recalls / used);
}

std::string chrf_signature(std::optional<std::size_t> references, const ChrfOptions& options) {
  return references_signature(references) +
         "|case:mixed|eff:" + (options.epsilon_smoothing ? "no" : "yes") +
         "|nc:6|nw:" + std::to_string(options.word_order) + "|space:no";
}

}  // namespace heddle
