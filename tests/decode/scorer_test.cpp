// Which pairs a model can read, and that a pair's likelihood does not depend on its batch.
#include "decode/scorer.h"

#include <doctest/doctest.h>

#include <numeric>

#include "decode/trained_model.h"
#include "tests/support/runs.h"

using namespace heddle;
using heddle::testing::SmallRun;

TEST_CASE("scorer: a pair is read unless a side is empty or longer than the positions") {
  SmallRun small;
  small.train({.set = {"train.steps=2", "model.positions=learned", "model.max_positions=9",
                       "data.max_length=9"}});
  const TrainedModel model(small / "run");
  const auto read = [&](const char* source, const char* target, PackedPairs& pairs) {
    return append_readable(model, source, target, pairs);
  };
  const char* const eight = "un deux un deux un deux un deux";
  const char* const nine = "un deux un deux un deux un deux un";
  std::vector<PackedPairs> batches(3);
  CHECK(read(eight, "un", batches[0]));
  CHECK(read("un inconnu", eight, batches[1]));
  for (PackedPairs& batch : batches) {
    const std::size_t before = batch.source.size();
    CHECK(!read(nine, "un", batch));
    CHECK(!read("un", nine, batch));
    CHECK(!read("", "un", batch));
    CHECK(!read("un", " ", batch));
    CHECK(batch.source.size() == before);
  }
  batches.pop_back();
  PackedPairs both;
  CHECK(read(eight, "un", both));
  CHECK(read("un inconnu", eight, both));
  CHECK(both.target_tokens() == 2 + 9);
  const double together = negative_log_likelihood(model.transformer(), {&both, 1}, 1);
  const std::vector<double> alone = negative_log_likelihoods(model.transformer(), batches, 2);
  CHECK(together == doctest::Approx(std::accumulate(alone.begin(), alone.end(), 0.0)));
}

TEST_CASE("scorer: where positions have no end, lines have one") {
  SmallRun small;
  small.train({.set = {"train.steps=1"}});
  const TrainedModel model(small / "run");
  CHECK(model.longest_line() == 1024);
  std::string line = "un";  // with the end 1,024 tokens
  for (int i = 1; i < 1023; ++i) line += " un";
  PackedPairs pairs;
  CHECK(append_readable(model, line, "un", pairs));
  CHECK(append_readable(model, "un", line, pairs));
  CHECK(!append_readable(model, line + " un", "un", pairs));
  CHECK(!append_readable(model, "un", line + " un", pairs));
  CHECK(pairs.source.size() == 2);
}
