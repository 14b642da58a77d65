#include "decode/metrics/error_rates.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/base/check.h"
#include "data/white_space.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::int64_t edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<std::int64_t> row(b.size() + 1);  // from the symbols of a so far to each begin of b
  std::iota(row.begin(), row.end(), 0);
  for (const char32_t symbol : a) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t substituted = diagonal + (symbol == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

ErrorCounts& ErrorCounts::operator+=(const ErrorCounts& other) {
  lines += other.lines;
  exact += other.exact;
  right += other.right;
  edits += other.edits;
  token_count += other.token_count;
  return *this;
}

double ErrorCounts::exact_match() const {
  return percent(exact, lines);
}

double ErrorCounts::line_error_rate() const {
  return percent(wrong(), lines);
}

double ErrorCounts::token_error_rate() const {
  return percent(edits, token_count);
}

ErrorCounts error_counts(std::string_view hypothesis, std::span<const std::string> references) {
  check(!references.empty(), "error rates: a line without a reference");
  ErrorCounts counts{.lines = 1};
  WordNumbers numbers;
  const std::u32string symbols = numbers(words_of(hypothesis));
  for (const std::string& reference : references) {
    if (without_outer_space(reference) == without_outer_space(hypothesis)) counts.exact = 1;
    const std::u32string other = numbers(words_of(reference));
    const std::int64_t edits = edit_distance(symbols, other);
    if (&reference != references.data() && edits >= counts.edits) continue;
    counts.edits = edits;
    counts.token_count = std::ssize(other);
  }
  counts.right = counts.edits == 0 ? 1 : 0;
  return counts;
}

}  // namespace heddle
