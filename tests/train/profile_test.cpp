// Lanes measure their own operations, and compute the same bits meanwhile.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/support/models.h"
#include "train/lanes.h"

using namespace heddle;
using heddle::testing::Sentences;
using heddle::testing::TestModel;

namespace {

std::map<std::string, std::int64_t> runs_of(const OpProfile& profile) {
  std::map<std::string, std::int64_t> runs;
  for (const OpProfile::Entry& entry : profile.entries()) {
    runs[std::string(entry.op)] = entry.runs;
  }
  return runs;
}

}  // namespace

TEST_CASE("profile: lanes add up their own times, and bits stay the same") {
  const TestModel m(R"({"d_model": 8, "heads": 2, "d_ff": 12, "layers": 1, "dropout": 0.3})");
  const Vocabulary vocabulary{11};
  const Sentences source({4, 1, 3}, vocabulary, 1), target({2, 5, 3}, vocabulary, 2);
  const Sentences input = target.shifted(vocabulary);
  const Examples examples{source.tokens(), input.tokens(), target.ids};
  const std::vector<MicroBatch> batches = {{examples, Examples{}, examples}};
  Lanes lanes(m.transformer, m.store, {3, 2, 0.1});
  const UpdateResult plain = lanes.run(batches, {.seed = 1, .update = 1});
  UpdateProfile profile;
  profile.keeps_products = true;
  lanes.set_profile(&profile);
  const UpdateResult profiled = lanes.run(batches, {.seed = 1, .update = 1});
  CHECK(profiled.loss == plain.loss);
  CHECK(profiled.gradient_norm == plain.gradient_norm);

  REQUIRE(profile.lanes.size() == 3);
  CHECK(profile.lanes[1].entries().empty());
  CHECK(profile.lanes_nanoseconds > 0);
  CHECK(profile.sum_nanoseconds > 0);
  for (const std::size_t lane : {std::size_t{0}, std::size_t{2}}) {
    // Self-attention 2 products, feed-forward 2, cross-attention 3; the output.
    CHECK(profile.lanes[lane].products().size() == 2 + 2 + 2 + 3 + 2 + 1);
    const auto runs = runs_of(profile.lanes[lane]);
    CHECK(runs.at("linear") == 2 * 11);
    CHECK(runs.at("cross_entropy") == 2);
    CHECK(runs.at("embed") == 2 * 2);
    CHECK(runs.at("residual_norm") == 2 * 5);
  }
  lanes.negative_log_likelihood(batches[0]);  // a validation is no update
  CHECK(runs_of(profile.lanes[0]).at("embed") == 2 * 2);
  lanes.set_profile(nullptr);
  lanes.run(batches, {.seed = 1, .update = 2});
  CHECK(profile.lanes[0].products().size() == 12);
}
