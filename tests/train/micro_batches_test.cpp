// A batch in micro-batches of any size gives the gradients of the whole batch.
#include "train/micro_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/support/allocation_counter.h"
#include "tests/support/compare.h"
#include "tests/support/models.h"

namespace heddle::testing {
namespace {

PackedPairs random_pairs(int count) {
  std::mt19937 random(7);
  PackedPairs pairs;
  const auto text = [&] {
    std::vector<std::int32_t> ids(random() % 9);
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(2 + random() % 8);
    return ids;
  };
  for (int i = 0; i < count; ++i) pairs.append(text(), text(), kVocabulary.start());
  return pairs;
}

std::vector<double> gradients(const TestModel& m, MicroBatches& micro_batches, int lanes) {
  Lanes computing(m.transformer, m.store, {lanes, 2, 0.1});
  computing.run(micro_batches.all(), {.seed = 1, .update = 1});
  const auto* values = static_cast<const double*>(computing.gradients().slab());
  return {values, values + m.store.elements()};
}

TEST_CASE("micro_batches: any bound gives the gradients of the whole batch") {
  const TestModel m(R"({"d_model": 8, "heads": 2, "d_ff": 12, "layers": 1, "dropout": 0})");
  const PackedPairs pairs = random_pairs(30);
  MicroBatches whole(1, 1 << 20);
  whole.add(pairs);
  CHECK(whole.all().size() == 1);
  const std::vector<double> expected = gradients(m, whole, 1);
  for (const int lanes : {1, 2, 3}) {
    for (const std::int64_t lane_tokens : {1, 20, 64}) {
      CAPTURE(lanes);
      CAPTURE(lane_tokens);
      MicroBatches small(lanes, lane_tokens);
      small.add(pairs);
      std::int64_t tokens = 0;
      for (const MicroBatch& batch : small.all()) {
        REQUIRE(batch.size() == static_cast<std::size_t>(lanes));
        tokens += target_tokens(batch);
        for (const Examples& examples : batch) {
          CHECK((examples.target_input.sequences.size() <= 1 ||
                 std::ssize(examples.target_output) <= lane_tokens));
        }
      }
      CHECK(tokens == pairs.target_tokens());
      CHECK(worst_error(expected, gradients(m, small, lanes)) < 1e-14);
    }
  }
}

TEST_CASE("micro_batches: several batches make one update, and clear() forgets them") {
  const PackedPairs pairs = random_pairs(12);
  MicroBatches batches(2, 40);
  batches.add(pairs);
  const std::size_t of_one = batches.all().size();
  CHECK(of_one >= 1);
  batches.add(pairs);
  CHECK(batches.all().size() == 2 * of_one);
  for (std::size_t i = 0; i < of_one; ++i) {
    for (std::size_t lane = 0; lane < 2; ++lane) {
      CHECK(std::ranges::equal(batches.all()[i][lane].source.ids,
                               batches.all()[of_one + i][lane].source.ids));
    }
  }
  batches.clear();
  CHECK(batches.all().empty());
}

TEST_CASE("micro_batches: filling again allocates nothing") {
  const PackedPairs pairs = random_pairs(100);
  MicroBatches batches(3, 50);
  batches.add(pairs);
  const std::int64_t before = allocations();
  batches.clear();
  batches.add(pairs);
  CHECK(allocations() == before);
}

}  // namespace
}  // namespace heddle::testing
