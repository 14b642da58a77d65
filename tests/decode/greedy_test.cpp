// Greedy decoding against the teacher-forced pass over its own output.
#include "decode/greedy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/allocation_counter.h"
#include "tests/support/decoding.h"

using namespace heddle;
using heddle::testing::allocations;
using heddle::testing::DecodingExample;
using heddle::testing::limit_of;
using heddle::testing::same;
using heddle::testing::Sentences;

namespace {

struct GreedyExample : DecodingExample {
  GreedyExample() : DecodingExample(30) {}

  std::vector<Hypothesis> decode(const LengthLimit& limit = {}) {
    return greedy(model.transformer, source.tokens(), limit, space);
  }
};

}  // namespace

TEST_CASE("greedy: every token is the likeliest of the teacher-forced pass, up to the end") {
  GreedyExample e;
  const std::vector<Hypothesis> found = e.decode();
  REQUIRE(found.size() == 7);
  std::size_t finished = 0, longest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    const Hypothesis& h = found[i];
    finished += h.finished ? 1 : 0;
    longest = std::max(longest, h.ids.size());
    std::vector<std::int32_t> output = h.ids;
    if (h.finished) output.push_back(Vocabulary::kEnd);
    const auto rows = e.log_probabilities(i, output);
    double log_probability = 0.0;
    for (std::size_t t = 0; t < output.size(); ++t) {
      CHECK(std::ranges::max_element(rows[t]) - rows[t].begin() == output[t]);
      log_probability += rows[t][static_cast<std::size_t>(output[t])];
    }
    CHECK(h.log_probability == doctest::Approx(log_probability).epsilon(1e-9));
  }
  CHECK(finished >= 3);
  CHECK(longest >= 3);
}

TEST_CASE("greedy: the limit cuts off what does not end, and says so") {
  GreedyExample e;
  const LengthLimit limit = limit_of(2);
  CHECK(limit.tokens(100) == 2);
  const std::vector<Hypothesis> cut = e.decode(limit), whole = e.decode();
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const auto& all = whole[i].ids;
    const std::size_t length = std::min<std::size_t>(2, all.size());
    CHECK(cut[i].ids == std::vector<std::int32_t>(
                            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length)));
    CHECK(cut[i].finished == (all.size() < 2 && whole[i].finished));
  }
  CHECK(LengthLimit().tokens(3) == 56);
  for (const Hypothesis& h : e.decode(limit_of(1))) CHECK(h.ids.size() <= 1);
}

TEST_CASE("greedy: a sentence is translated the same alone, in any order, and in a used space") {
  GreedyExample e;
  const std::vector<Hypothesis> together = e.decode();
  for (std::size_t i = 0; i < together.size(); ++i) {
    Sentences one;
    one.append(e.source.sentence(i));
    const auto alone = greedy(e.model.transformer, one.tokens(), {}, e.space);
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].ids == together[i].ids);
    CHECK(alone[0].log_probability == together[i].log_probability);
  }
  CHECK(greedy(e.model.transformer, {}, {}, e.space).empty());
}

TEST_CASE("greedy: outputs begin with their prefix and go on from it") {
  GreedyExample e;
  const std::vector<Hypothesis> free = e.decode();
  std::vector<std::vector<std::int32_t>> prefixes(free.size());
  prefixes[0] = {7, 7, 9};
  const auto spoken =
      static_cast<std::size_t>(std::ranges::find_if(free.begin() + 1, free.end(),
                                                    [](const auto& h) { return !h.ids.empty(); }) -
                               free.begin());
  REQUIRE(spoken < 5);
  prefixes[spoken] = {free[spoken].ids.front()};  // what it would say anyway
  prefixes[5] = {12};
  const auto forced =
      greedy(e.model.transformer, {e.source.tokens(), prefixes}, limit_of(6), e.space);
  REQUIRE(forced.size() == free.size());
  for (std::size_t i = 0; i < forced.size(); ++i) {
    CAPTURE(i);
    const Hypothesis& h = forced[i];
    const std::vector<std::int32_t>& prefix = prefixes[i];
    REQUIRE(h.ids.size() >= prefix.size());
    CHECK(std::equal(prefix.begin(), prefix.end(), h.ids.begin()));
    CHECK(h.ids.size() <= prefix.size() + 6);
    std::vector<std::int32_t> output = h.ids;
    if (h.finished) output.push_back(Vocabulary::kEnd);
    const auto rows = e.log_probabilities(i, output);
    for (std::size_t t = prefix.size(); t < output.size(); ++t) {
      CHECK(std::ranges::max_element(rows[t]) - rows[t].begin() == output[t]);
    }
    CHECK(h.log_probability == doctest::Approx(e.log_probability(i, h)).epsilon(1e-9));
  }
  const std::vector<Hypothesis> unforced = e.decode(limit_of(6));
  CHECK(forced[6].ids == unforced[6].ids);
  CHECK(forced[0].ids != unforced[0].ids);
  CHECK(std::equal(unforced[spoken].ids.begin(), unforced[spoken].ids.end(),
                   forced[spoken].ids.begin()));
}

TEST_CASE("greedy: without scores the outputs are the same") {
  GreedyExample e;
  const std::vector<std::vector<std::int32_t>> prefixes = {{7, 9}, {}, {}, {}, {12}, {}, {}};
  DecodingInput input(e.source.tokens(), prefixes);
  const auto scored = greedy(e.model.transformer, input, limit_of(6), e.space);
  input.scores = false;
  const auto found = greedy(e.model.transformer, input, limit_of(6), e.space);
  REQUIRE(found.size() == scored.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].ids == scored[i].ids);
    CHECK(found[i].finished == scored[i].finished);
    CHECK(std::isnan(found[i].log_probability));
    CHECK(std::isfinite(scored[i].log_probability));
  }
}

TEST_CASE("greedy: steps allocate nothing in a space that is warm") {
  DecodingExample e(30, {4, 1, 9, 2, 6, 3, 5}, 1, -100.0);  // nothing ends
  const auto allocations_of = [&](std::int64_t tokens) {
    const std::int64_t before = allocations();
    const auto found = greedy(e.model.transformer, e.source.tokens(), limit_of(tokens), e.space);
    CHECK(std::ssize(found.back().ids) == tokens);
    return allocations() - before;
  };
  for (int i = 0; i < 3; ++i) allocations_of(100);
  CHECK(allocations_of(100) == allocations_of(5));
}

TEST_CASE("decode config: defaults, and what is read") {
  const ConfigDocument none = ConfigDocument::parse("{}", "test.json");
  const DecodeConfig defaults(none.root());
  CHECK(defaults.beam == 1);
  CHECK(defaults.length_penalty == 1.0);
  CHECK(defaults.limit.tokens(3) == 56);
  const ConfigDocument given =
      ConfigDocument::parse(R"({"beam": 5, "length_penalty": 0.6})", "test.json");
  CHECK(DecodeConfig(given.root()).beam == 5);
  CHECK(DecodeConfig(given.root()).length_penalty == 0.6);
}

TEST_CASE("greedy: many tokens, which are encoded in pieces, are decoded as few are") {
  DecodingExample e(30, {100, 7, 160, 300, 1, 90, 40, 20});
  const auto together = greedy(e.model.transformer, e.source.tokens(), limit_of(8), e.space);
  REQUIRE(together.size() == 8);
  for (std::size_t i = 0; i < together.size(); ++i) {
    CAPTURE(i);
    Sentences one;
    one.append(e.source.sentence(i));
    CHECK(same(greedy(e.model.transformer, one.tokens(), limit_of(8), e.space)[0], together[i]));
    CHECK(together[i].log_probability ==
          doctest::Approx(e.log_probability(i, together[i])).epsilon(1e-9));
  }
}

TEST_CASE("greedy: the limit is read from a config") {
  const ConfigDocument document =
      ConfigDocument::parse(R"({"max_length": {"factor": 1.5, "extra": 4}})", "test.json");
  const LengthLimit limit(document.root());
  document.finish();
  CHECK(limit.tokens(10) == 19);
  const ConfigDocument wrong =
      ConfigDocument::parse(R"({"max_length": {"factor": -1, "extra": 0}})", "test.json");
  LengthLimit{wrong.root()};
  CHECK_THROWS_WITH_AS(wrong.finish(),
                       "test.json:1:27: max_length.factor: -1 is outside 0 to 1000\n"
                       "test.json:1:40: max_length.extra: 0 is outside 1 to 1048576",
                       ConfigError);
}
