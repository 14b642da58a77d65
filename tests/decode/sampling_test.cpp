// Sampling: what it draws, how often, and what a draw depends on.
#include "decode/sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/support/decoding.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::DecodingExample;
using heddle::testing::limit_of;
using heddle::testing::same;
using heddle::testing::Sentences;

namespace {

// Probabilities 0.4, 0.1, 0.3, 0.2 and a token that never comes.
const std::vector<double> kScores = {std::log(0.4), std::log(0.1), std::log(0.3), std::log(0.2),
                                     -std::numeric_limits<double>::infinity()};

/// How often each token is drawn, of uniform numbers that are evenly spread.
std::vector<double> shares(const SamplingOptions& options) {
  Context c;
  c.begin(Mode::kInference);
  std::vector<double> scores = kScores;
  const Tensor logits = c.view(scores.data(), {1, 5}, DType::kFloat64);
  TokenSampler sampler(options);
  std::vector<double> shares(5, 0.0);
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const Candidate drawn = sampler(logits, 0, (i + 0.5) / kDraws);
    shares[static_cast<std::size_t>(drawn.id)] += 1.0 / kDraws;
    CHECK(drawn.log_probability == doctest::Approx(kScores[static_cast<std::size_t>(drawn.id)]));
  }
  return shares;
}

void check_shares(const SamplingOptions& options, const std::vector<double>& expected) {
  const std::vector<double> drawn = shares(options);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(drawn[i] - expected[i]) < 2e-4);
  }
}

struct SamplingExample : DecodingExample {
  SamplingExample() : DecodingExample(30) {}

  std::vector<Hypothesis> draw(const SamplingOptions& options, std::size_t outputs = 1) {
    return sample(model.transformer, source.tokens(), kLines, outputs, options, {}, space);
  }
  static inline const std::vector<std::uint64_t> kLines = {10, 20, 30, 40, 50, 60, 70};
};

}  // namespace

TEST_CASE("sampling: tokens come as often as they are likely, at any temperature") {
  check_shares({}, {0.4, 0.1, 0.3, 0.2, 0.0});
  const double sum = 0.16 + 0.01 + 0.09 + 0.04;
  check_shares({.temperature = 0.5}, {0.16 / sum, 0.01 / sum, 0.09 / sum, 0.04 / sum, 0.0});
  check_shares({.temperature = 0.01}, {1.0, 0.0, 0.0, 0.0, 0.0});
}

TEST_CASE("sampling: top-k leaves the likeliest, top-p the fewest that are probable enough") {
  check_shares({.top_k = 1}, {1.0, 0.0, 0.0, 0.0, 0.0});
  check_shares({.top_k = 2}, {0.4 / 0.7, 0.0, 0.3 / 0.7, 0.0, 0.0});
  check_shares({.top_k = 100}, {0.4, 0.1, 0.3, 0.2, 0.0});
  check_shares({.top_p = 0.39}, {1.0, 0.0, 0.0, 0.0, 0.0});
  check_shares({.top_p = 0.5}, {0.4 / 0.7, 0.0, 0.3 / 0.7, 0.0, 0.0});
  check_shares({.top_p = 0.71}, {0.4 / 0.9, 0.0, 0.3 / 0.9, 0.2 / 0.9, 0.0});
  // Of what top-k leaves: 0.4 of 0.7 is more than a half.
  check_shares({.top_k = 2, .top_p = 0.5}, {1.0, 0.0, 0.0, 0.0, 0.0});
}

TEST_CASE("sampling: draws by line, output and seed alone") {
  SamplingExample e;
  const std::vector<Hypothesis> together = e.draw({.seed = 5});
  REQUIRE(together.size() == 7);
  std::set<std::vector<std::int32_t>> different;
  int other_output = 0, other_line = 0;
  for (std::size_t i = 0; i < together.size(); ++i) {
    CAPTURE(i);
    const Hypothesis& h = together[i];
    different.insert(h.ids);
    CHECK(h.log_probability == doctest::Approx(e.log_probability(i, h)).epsilon(1e-9));
    Sentences one;
    one.append(e.source.sentence(i));
    const std::vector<std::uint64_t> line = {SamplingExample::kLines[i]}, another = {99};
    const auto draw = [&](const std::vector<std::uint64_t>& lines, std::size_t outputs) {
      return sample(e.model.transformer, one.tokens(), lines, outputs, {.seed = 5}, {}, e.space);
    };
    CHECK(same(draw(line, 1)[0], h));
    const std::vector<Hypothesis> several = draw(line, 4);
    REQUIRE(several.size() == 4);
    CHECK(same(several[0], h));
    other_output += same(several[1], h) ? 0 : 1;
    other_line += same(draw(another, 1)[0], h) ? 0 : 1;
  }
  // Short outputs may come twice.
  CHECK(different.size() >= 6);
  CHECK(other_output >= 5);
  CHECK(other_line >= 5);
  const auto equal_draws = [&](const SamplingOptions& options) {
    const std::vector<Hypothesis> other = e.draw(options);
    return std::ranges::equal(other, together, same);
  };
  CHECK(equal_draws({.seed = 5}));
  CHECK_FALSE(equal_draws({.seed = 6}));
  CHECK_FALSE(equal_draws({.seed = 5 + (std::uint64_t{1} << 32)}));
}

TEST_CASE("sampling: outputs begin with their prefix; bad options and scores are errors") {
  SamplingExample e;
  const std::vector<std::vector<std::int32_t>> prefixes(7, {8, 9});
  for (const Hypothesis& h : sample(e.model.transformer, {e.source.tokens(), prefixes},
                                    SamplingExample::kLines, 2, {}, limit_of(4), e.space)) {
    REQUIRE(h.ids.size() >= 2);
    CHECK(h.ids[0] == 8);
    CHECK(h.ids[1] == 9);
    CHECK(h.ids.size() <= 6);
  }
  CHECK_MESSAGE_THROWN(TokenSampler({.temperature = 0.0}),
                       "sampling: temperature 0, top_k 0, top_p 1: the first must be above 0, the "
                       "last in (0, 1]");
  CHECK_THROWS_AS(TokenSampler({.top_p = 1.5}), Error);
  CHECK_THROWS_AS(TokenSampler({.top_p = 0.0}), Error);
  Context c;
  c.begin(Mode::kInference);
  std::vector<double> bad = {0.0, std::nan(""), 1.0};
  TokenSampler sampler({});
  CHECK_THROWS_AS(sampler(c.view(bad.data(), {1, 3}, DType::kFloat64), 0, 0.5), NumericError);
}
