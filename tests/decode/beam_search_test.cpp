// Beam search against exhaustive search, greedy decoding, and the teacher-forced pass.
#include "decode/beam_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "decode/candidates.h"
#include "decode/greedy.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/decoding.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::allocations;
using heddle::testing::DecodingExample;
using heddle::testing::limit_of;
using heddle::testing::same;
using heddle::testing::Sentences;

namespace {

using Ids = std::vector<std::int32_t>;
using Lists = std::vector<std::vector<Hypothesis>>;

struct Example : DecodingExample {
  using DecodingExample::DecodingExample;

  Lists search(const BeamOptions& options) {
    return beam_search(model.transformer, source.tokens(), options, space);
  }
};

/// The rules of Hugging Face's generate() with early_stopping=False, with every step computed anew.
std::vector<Hypothesis> search_plainly(Example& e, std::size_t i, const BeamOptions& options) {
  const auto beam = static_cast<std::size_t>(options.beam);
  const std::int32_t limit = options.limit.tokens(std::ssize(e.source.sentence(i)));
  std::vector<Hypothesis> running(1), ended;
  const auto by_score = [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; };
  for (std::int32_t length = 1;; ++length) {
    std::vector<Hypothesis> continuations;
    for (const Hypothesis& r : running) {
      for (std::int32_t id = 0; id < e.vocabulary.classes(); ++id) {
        Hypothesis next = r;
        next.finished = id == Vocabulary::kEnd;
        if (!next.finished) next.ids.push_back(id);
        next.log_probability = e.log_probability(i, next);
        next.score = next.log_probability / std::pow(length, options.length_penalty);
        continuations.push_back(next);
      }
    }
    std::ranges::stable_sort(continuations, by_score);  // all are of the same length
    continuations.resize(std::min(continuations.size(), 2 * beam));
    running.clear();
    for (std::size_t rank = 0; rank < continuations.size(); ++rank) {
      const Hypothesis& c = continuations[rank];
      if (c.finished && rank < beam) ended.push_back(c);
      if (!c.finished && running.size() < beam) running.push_back(c);
    }
    if (length == limit) ended.insert(ended.end(), running.begin(), running.end());
    std::ranges::stable_sort(ended, by_score);
    ended.resize(std::min(ended.size(), beam));
    const bool hopeless = ended.size() == beam && running[0].score <= ended.back().score;
    if (length == limit || hopeless) return ended;
  }
}

/// All outputs of up to `limit` tokens: those that end, and those that the limit cuts off.
void enumerate(std::int32_t classes, std::size_t limit, Ids& prefix, std::vector<Hypothesis>& all) {
  if (prefix.size() == limit) {
    all.push_back({.ids = prefix, .finished = false});
    return;
  }
  all.push_back({.ids = prefix, .finished = true});
  for (std::int32_t id = 0; id < classes; ++id) {
    if (id == Vocabulary::kEnd) continue;
    prefix.push_back(id);
    enumerate(classes, limit, prefix, all);
    prefix.pop_back();
  }
}

}  // namespace

TEST_CASE("beam search: a beam that holds all hypotheses finds what exhaustive search finds") {
  for (const double penalty : {0.0, 1.0, 0.6}) {
    CAPTURE(penalty);
    Example e(6, {3, 1, 5});
    const LengthLimit limit = limit_of(3);
    std::vector<Hypothesis> all;
    Ids prefix;
    enumerate(e.vocabulary.classes(), 3, prefix, all);
    REQUIRE(all.size() == 1 + 4 + 16 + 64);
    const Lists found = e.search({100, penalty, limit});
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      for (Hypothesis& h : all) {
        h.log_probability = e.log_probability(i, h);
        h.score =
            normalised_score(h.log_probability, std::ssize(h.ids) + (h.finished ? 1 : 0), penalty);
      }
      std::ranges::sort(all, std::greater(), &Hypothesis::score);
      REQUIRE(found[i].size() == all.size());
      for (std::size_t rank = 0; rank < all.size(); ++rank) {
        CHECK(found[i][rank].ids == all[rank].ids);
        CHECK(found[i][rank].finished == all[rank].finished);
        CHECK(found[i][rank].score == doctest::Approx(all[rank].score).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("beam search: finds what the rules find, step by step, for any beam and penalty") {
  Example e(12, {3, 1, 5, 7});
  std::size_t stopped_early = 0;
  for (const int beam : {2, 3, 5}) {
    for (const double penalty : {0.0, 0.6, 1.0, 2.0}) {
      CAPTURE(beam);
      CAPTURE(penalty);
      LengthLimit limit;
      limit.factor = 1.0;
      limit.extra = 6;
      const BeamOptions options{beam, penalty, limit};
      const Lists found = e.search(options);
      for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        const std::vector<Hypothesis> expected = search_plainly(e, i, options);
        REQUIRE(found[i].size() == expected.size());
        stopped_early += expected.back().finished ? 1 : 0;
        for (std::size_t rank = 0; rank < expected.size(); ++rank) {
          CHECK(found[i][rank].ids == expected[rank].ids);
          CHECK(found[i][rank].finished == expected[rank].finished);
          CHECK(found[i][rank].score == doctest::Approx(expected[rank].score).epsilon(1e-9));
        }
      }
    }
  }
  CHECK(stopped_early > 10);
}

TEST_CASE("beam search: a beam of 1 is greedy decoding") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    Example e(30, {4, 1, 9, 2, 6, 3, 5}, seed);
    const std::vector<Hypothesis> expected =
        greedy(e.model.transformer, e.source.tokens(), {}, e.space);
    for (const double penalty : {0.0, 1.0, 2.0}) {
      const Lists found = e.search({1, penalty, {}});
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        REQUIRE(found[i].size() == 1);
        CHECK(found[i][0].ids == expected[i].ids);
        CHECK(found[i][0].finished == expected[i].finished);
        CHECK(found[i][0].log_probability == expected[i].log_probability);
      }
    }
  }
}

TEST_CASE("beam search: scores are those of the teacher-forced pass, best first, all different") {
  Example e(30, {4, 1, 9, 2, 6, 3, 5});
  const Lists narrow = e.search({2, 1.0, {}}), wide = e.search({6, 1.0, {}});
  double sum_narrow = 0.0, sum_wide = 0.0;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    CAPTURE(i);
    CHECK(narrow[i].size() == 2);
    CHECK(wide[i].size() == 6);
    sum_narrow += narrow[i][0].score;
    sum_wide += wide[i][0].score;
    for (std::size_t rank = 0; rank < wide[i].size(); ++rank) {
      const Hypothesis& h = wide[i][rank];
      CHECK(h.log_probability == doctest::Approx(e.log_probability(i, h)).epsilon(1e-9));
      const std::int64_t tokens = std::ssize(h.ids) + (h.finished ? 1 : 0);
      CHECK(h.score == doctest::Approx(h.log_probability / static_cast<double>(tokens)));
      for (std::size_t other = 0; other < rank; ++other) {
        CHECK(wide[i][other].score >= h.score);
        CHECK(wide[i][other].ids != h.ids);
      }
    }
  }
  CHECK(sum_wide >= sum_narrow);
}

TEST_CASE("beam search: a sentence gets the same alone, in any order, and in a used space") {
  Example e(30, {4, 1, 9, 2, 6, 3, 5});
  const BeamOptions options{4, 1.0, {}};
  const Lists together = e.search(options);
  for (std::size_t i = 0; i < together.size(); ++i) {
    Sentences one;
    one.append(e.source.sentence(i));
    const Lists alone = beam_search(e.model.transformer, one.tokens(), options, e.space);
    REQUIRE(alone.size() == 1);
    CHECK(std::ranges::equal(alone[0], together[i], same));
  }
  CHECK(beam_search(e.model.transformer, {}, options, e.space).empty());
}

TEST_CASE("beam search: the limit cuts off what does not end, and outputs may be few") {
  Example e(4, {4, 2});  // end, unknown and one piece
  for (const auto& hypotheses : e.search({5, 1.0, limit_of(1)})) {
    CHECK(hypotheses.size() == 3);  // nothing, and either token
    for (const Hypothesis& h : hypotheses) CHECK(h.ids.size() == (h.finished ? 0U : 1U));
  }
  CHECK_MESSAGE_THROWN(e.search({0, 1.0, {}}), "beam_search: a beam of 0 is not at least 1");
}

TEST_CASE("beam search: among outputs that begin with a prefix it finds the best ones") {
  Example e(6, {3, 1, 5});
  const std::vector<Ids> prefixes = {{4, 2}, {}, {3}};
  const Lists found = beam_search(e.model.transformer, {e.source.tokens(), prefixes},
                                  {100, 0.6, limit_of(2)}, e.space);
  REQUIRE(found.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    std::vector<Hypothesis> all;
    Ids prefix = prefixes[i];
    enumerate(e.vocabulary.classes(), prefix.size() + 2, prefix, all);
    for (Hypothesis& h : all) {
      h.log_probability = e.log_probability(i, h);
      h.score = normalised_score(h.log_probability, h.tokens(), 0.6);
    }
    std::ranges::sort(all, std::greater(), &Hypothesis::score);
    REQUIRE(found[i].size() == all.size());
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      CHECK(found[i][rank].ids == all[rank].ids);
      CHECK(found[i][rank].score == doctest::Approx(all[rank].score).epsilon(1e-9));
    }
  }
}

TEST_CASE("beam search: steps allocate nothing in a space that is warm") {
  Example e(30, {4, 1, 9, 2, 6, 3, 5}, 1, -100.0);  // nothing ends
  const auto allocations_of = [&](std::int64_t tokens) {
    const std::int64_t before = allocations();
    const Lists found = e.search({4, 1.0, limit_of(tokens)});
    CHECK(std::ssize(found.back().front().ids) == tokens);
    return allocations() - before;
  };
  for (int i = 0; i < 3; ++i) allocations_of(100);
  CHECK(allocations_of(100) == allocations_of(5));
}

TEST_CASE("candidates: the likeliest first, of equals the smaller id, in any type") {
  Context c;
  c.begin(Mode::kInference);
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    constexpr std::int64_t kClasses = 333;
    std::vector<double> values(2 * kClasses, -1.0);
    for (std::int64_t i = 0; i < kClasses; ++i) {
      values[static_cast<std::size_t>(kClasses + i)] = static_cast<double>(i * 37 % 101) * 0.125;
    }
    std::vector<float> floats(values.begin(), values.end());
    void* data = dtype == DType::kFloat64 ? static_cast<void*>(values.data()) : floats.data();
    const Tensor rows = c.view(data, {2, kClasses}, dtype);
    double sum = 0.0;
    Ids order;
    for (std::int32_t i = 0; i < kClasses; ++i) {
      order.push_back(i);
      sum += std::exp((i * 37 % 101) * 0.125);
    }
    std::ranges::stable_sort(order, std::greater(), [](std::int32_t i) { return i * 37 % 101; });
    CHECK(likeliest(rows, 1) == order[0]);
    CHECK(likeliest(rows, 0) == 0);
    std::vector<Candidate> best;
    best_candidates(rows, 1, 20, best);
    REQUIRE(best.size() == 20);
    for (std::size_t i = 0; i < best.size(); ++i) {
      CHECK(best[i].id == order[i]);
      const double expected = (order[i] * 37 % 101) * 0.125 - std::log(sum);
      CHECK(std::abs(best[i].log_probability - expected) <
            (dtype == DType::kFloat64 ? 1e-12 : 1e-4));
    }
    best_candidates(rows, 0, 1000, best);
    CHECK(best.size() == kClasses);
    CHECK(best[5].id == 5);
  }
}

TEST_CASE_TEMPLATE("candidates: the likeliest is found wherever it stands", T, float, double) {
  Context c;
  c.begin(Mode::kInference);
  const DType dtype = sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64;
  for (const std::int64_t classes : {1, 7, 64, 65, 333}) {
    for (const std::int64_t place : {0, 1, 6, 63, 64, 200, 319, 320, 332}) {
      if (place >= classes) continue;
      std::vector<T> values(static_cast<std::size_t>(classes), T{-3});
      values.front() = -std::numeric_limits<T>::infinity();  // a token that is forbidden
      values[static_cast<std::size_t>(place)] = T{-1};
      values.back() = T{-1};
      const Tensor row = c.view(values.data(), {1, classes}, dtype);
      CHECK(likeliest(row, 0) == place);
      std::vector<Candidate> best;
      best_candidates(row, 0, 1, best);
      CHECK(best[0].id == place);
    }
  }
}

TEST_CASE("candidates: scores that are no numbers are an error") {
  Context c;
  c.begin(Mode::kInference);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::size_t place : {0U, 70U, 99U}) {
      std::vector<double> values(100, 0.0);
      values[place] = bad;
      const Tensor row = c.view(values.data(), {1, 100}, DType::kFloat64);
      CHECK_THROWS_AS(likeliest(row, 0), NumericError);
      std::vector<Candidate> best;
      CHECK_THROWS_AS(best_candidates(row, 0, 2, best), NumericError);
    }
  }
}
