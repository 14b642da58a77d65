// Scores of single lines: the published values of the metrics' own tests.
#include "decode/metrics/scores.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace heddle;

TEST_CASE("scores: of a line by itself") {
  const auto of = [](Metric metric, const std::string& hypothesis, const References& references,
                     BleuTokens tokens = BleuTokens::k13a) {
    return line_score(metric, hypothesis, references, tokens);
  };
  const std::string hypothesis =
      "Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;";
  const References reference = {"producţia de zahăr brut se exprimă în zahăr alb;"};
  CHECK(std::abs(of(Metric::kBleu, hypothesis, reference) - 8.493) < 1e-3);
  CHECK(std::abs(of(Metric::kBleu, hypothesis, reference, BleuTokens::kNone) - 7.347) < 1e-3);
  CHECK(std::abs(of(Metric::kBleu, hypothesis, reference, BleuTokens::kChar) - 40.8759) < 1e-3);
  CHECK(of(Metric::kBleu, "a b", {"x", "a b"}) == doctest::Approx(100.0));
  CHECK(of(Metric::kChrf, "aa", {"ab"}) == doctest::Approx(25.0));
  CHECK(of(Metric::kChrf, "x", {"abc", "x", "y"}) == doctest::Approx(100.0));
  CHECK(of(Metric::kChrfPlusPlus, "the cat", {"the dog"}) == doctest::Approx(20.625));
  CHECK(of(Metric::kExactMatch, "a b", {"a", "a b"}) == 100.0);
  CHECK(of(Metric::kExactMatch, "a b", {"a", "b"}) == 0.0);
  CHECK(of(Metric::kWordErrorRate, "a b", {"a", "a b"}) == 0.0);
  CHECK(of(Metric::kWordErrorRate, "a b", {"a", "b"}) == 100.0);
  CHECK(of(Metric::kTokenErrorRate, "a x c d", {"a b c"}) == doctest::Approx(200.0 / 3));
  CHECK(of(Metric::kTokenErrorRate, "", {""}) == 0.0);
  CHECK(of(Metric::kTokenErrorRate, "a", {""}) == std::numeric_limits<double>::infinity());
  // Where there is one line, it is all of the file, but for BLEU of a line that is shorter than
  // four.
  const std::vector<std::string> hypotheses = {hypothesis};
  const std::vector<References> references = {reference};
  const std::size_t first = 0;
  for (const MetricName& m : metric_names()) {
    CAPTURE(m.name);
    CHECK(of(m.metric, hypothesis, reference) ==
          score(m.metric, hypotheses, references, {&first, 1}, BleuTokens::k13a).value);
  }
}
