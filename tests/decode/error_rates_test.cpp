// Error rates: edits between lines, and the metrics by name.
#include "decode/metrics/error_rates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "decode/metrics/scores.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using Texts = std::vector<std::string>;

// By its definition: without table, over all ways.
std::int64_t edits_by_recursion(std::u32string_view a, std::u32string_view b) {
  if (a.empty() || b.empty()) return std::ssize(a) + std::ssize(b);
  const std::int64_t same = a[0] == b[0] ? 0 : 1;
  return std::min({same + edits_by_recursion(a.substr(1), b.substr(1)),
                   1 + edits_by_recursion(a.substr(1), b), 1 + edits_by_recursion(a, b.substr(1))});
}

TEST_CASE("error rates: white space at the ends of lines counts in no metric") {
  const Texts plain = {"un deux", "six"}, spaced = {" un deux \t", "six\u00A0"};
  const std::vector<std::size_t> all = {0, 1};
  for (const MetricName& m : metric_names()) {
    CAPTURE(std::string(m.name));
    const std::vector<References> references = {{plain[0]}, {plain[1]}},
                                  with_space = {{spaced[0]}, {spaced[1]}};
    const double right = score(m.metric, plain, references, all, BleuTokens::k13a).value;
    CHECK(score(m.metric, plain, with_space, all, BleuTokens::k13a).value == right);
    CHECK(score(m.metric, spaced, references, all, BleuTokens::k13a).value == right);
    CHECK(line_score(m.metric, spaced[0], references[0], BleuTokens::k13a) ==
          line_score(m.metric, plain[0], references[0], BleuTokens::k13a));
  }
  CHECK(score(Metric::kExactMatch, spaced, std::vector<References>{{"un deux"}, {"six"}}, all,
              BleuTokens::k13a)
            .value == 100.0);
  CHECK(error_counts("un  deux", Texts{"un deux"}).exact == 0);  // within, it does count
}

TEST_CASE("error rates: the edit distance is the shortest way") {
  CHECK(edit_distance(U"kitten", U"sitting") == 3);
  CHECK(edit_distance(U"", U"abc") == 3);
  CHECK(edit_distance(U"abc", U"") == 3);
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const auto text = [&] {
      std::u32string s(random() % 6, U' ');
      for (char32_t& c : s) c = U"abc"[random() % 3];
      return s;
    };
    const std::u32string a = text(), b = text();
    CHECK(edit_distance(a, b) == edits_by_recursion(a, b));
  }
}

TEST_CASE("error rates: against the closest of several references") {
  const ErrorCounts counts = error_counts("K AH T", Texts{"K AE T S", "K AH T S", "K AA T"});
  CHECK(counts.exact == 0);
  CHECK(counts.edits == 1);
  CHECK(counts.token_count == 4);  // the first of the two with one edit
  const ErrorCounts exact = error_counts("K AA T", Texts{"K AE T", "K AA T"});
  CHECK(exact.exact == 1);
  CHECK(exact.edits == 0);
  // White space is none of the tokens, but of the line.
  const ErrorCounts spaced = error_counts("K AA T", Texts{"K  AA T "});
  CHECK(spaced.exact == 0);
  CHECK(spaced.wrong() == 0);
  CHECK(spaced.line_error_rate() == 0.0);
  ErrorCounts sum = counts;
  sum += exact;
  CHECK(sum.lines == 2);
  CHECK(sum.exact_match() == 50.0);
  CHECK(sum.line_error_rate() == 50.0);
  CHECK(sum.token_error_rate() == doctest::Approx(100.0 / 7));
  CHECK(ErrorCounts{}.token_error_rate() == 0.0);
  CHECK_MESSAGE_THROWN(error_counts("a", {}), "error rates: a line without a reference");
}

TEST_CASE("scores: every metric by its name, over the chosen lines") {
  const Texts hypotheses = {"a b c d", "x", "a b c e"};
  const std::vector<References> references = {{"a b c d"}, {"y"}, {"a b c d", "e"}};
  std::set<std::string_view> names;
  for (const MetricName& m : metric_names()) {
    CAPTURE(m.name);
    names.insert(m.name);
    const std::size_t first[] = {0}, all[] = {0, 1, 2};
    const Score best = score(m.metric, hypotheses, references, first, BleuTokens::kNone);
    CHECK(best.metric == m.metric);
    CHECK(best.value == doctest::Approx(higher_is_better(m.metric) ? 100.0 : 0.0));
    const Score whole = score(m.metric, hypotheses, references, all, BleuTokens::kNone);
    CHECK(whole.value > 0.0);
    CHECK(whole.value < 100.0);
    CHECK(best.signature.starts_with("nrefs:1|"));
    CHECK(whole.signature.starts_with("nrefs:var|"));
    CHECK_NOTHROW(score(m.metric, hypotheses, references, {}, BleuTokens::k13a));
  }
  CHECK(names.size() == 6);
}

}  // namespace
}  // namespace heddle::testing
