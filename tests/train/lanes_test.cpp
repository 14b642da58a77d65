// Lanes and micro-batches give the gradients of one batch; threads change no bit.
#include "train/lanes.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "autograd/numeric_guard.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/compare.h"
#include "tests/support/models.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::kVocabulary;
using heddle::testing::Sentences;
using heddle::testing::TestModel;
using heddle::testing::worst_error;

namespace {

const std::string kModel = R"({"d_model": 8, "heads": 2, "d_ff": 12, "layers": 2, "dropout": 0})";
const std::string kDropping = R"({"d_model": 8, "heads": 2, "d_ff": 12, "layers": 2,
                                  "dropout": 0.3, "attention_dropout": 0.3})";

/// Twelve sentence pairs, dealt out to micro-batches and lanes.
class Dealt {
 public:
  Dealt(std::size_t micro_batches, std::size_t lanes) {
    const Sentences source({4, 1, 9, 2, 6, 3, 5, 2, 7, 1, 3, 4}, kVocabulary, 1);
    const Sentences target({2, 5, 8, 1, 3, 3, 6, 2, 4, 4, 1, 7}, kVocabulary, 2);
    parts_.resize(micro_batches * lanes);
    for (std::size_t i = 0; i < 12; ++i) {
      Part& part = parts_[i % parts_.size()];
      part.source.append(source.sentence(i));
      part.target.append(target.sentence(i));
    }
    for (std::size_t m = 0; m < micro_batches; ++m) {
      batches.emplace_back();
      for (std::size_t l = 0; l < lanes; ++l) {
        Part& part = parts_[m * lanes + l];
        part.input = part.target.shifted(kVocabulary);
        batches.back().push_back({part.source.tokens(), part.input.tokens(), part.target.ids});
      }
    }
  }

  std::vector<MicroBatch> batches;

 private:
  struct Part {
    Sentences source, target, input;
  };
  std::vector<Part> parts_;
};

std::vector<double> gradients_of(const Lanes& lanes, const ParameterStore& store) {
  const auto* values = static_cast<const double*>(lanes.gradients().slab());
  return {values, values + store.elements()};
}

}  // namespace

TEST_CASE("lanes: any number of lanes and micro-batches gives the same gradients") {
  const TestModel m(kModel);
  Lanes one(m.transformer, m.store, {1, 1, 0.1});
  const Dealt whole(1, 1);
  const UpdateResult expected = one.run(whole.batches, {.seed = 1, .update = 1});
  CHECK(expected.target_tokens == 46);
  const std::vector<double> reference = gradients_of(one, m.store);
  double largest = 0.0;
  for (const double g : reference) largest = std::max(largest, std::abs(g));
  CHECK(expected.gradient_norm >= largest);
  for (const int count : {1, 2, 3}) {
    for (const std::size_t micro_batches : {1U, 4U}) {
      CAPTURE(count);
      CAPTURE(micro_batches);
      Lanes lanes(m.transformer, m.store, {count, 2, 0.1});
      const Dealt dealt(micro_batches, static_cast<std::size_t>(count));
      for (int again = 0; again < 2; ++again) {  // over what the update before has left
        const UpdateResult result = lanes.run(dealt.batches, {.seed = 1, .update = 1});
        CHECK(result.target_tokens == 46);
        CHECK(result.loss == doctest::Approx(expected.loss).epsilon(1e-12));
        CHECK(result.gradient_norm == doctest::Approx(expected.gradient_norm).epsilon(1e-12));
        CHECK(worst_error(reference, gradients_of(lanes, m.store)) <= 1e-12 * largest);
      }
    }
  }
}

TEST_CASE("lanes: threads change no bit; the key changes the masks of every lane") {
  const TestModel m(kDropping);
  const Dealt dealt(2, 3);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 4}) {
    Lanes lanes(m.transformer, m.store, {3, threads, 0.1});
    lanes.run(dealt.batches, {.seed = 1, .update = 1});
    results.push_back(gradients_of(lanes, m.store));
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
  Lanes lanes(m.transformer, m.store, {3, 2, 0.1});
  for (const StepKey& key : {StepKey{.seed = 2, .update = 1}, StepKey{.seed = 1, .update = 2},
                             StepKey{.seed = 1, .update = 1, .lane = 3},
                             StepKey{.seed = 1, .update = 1, .micro_batch = 2}}) {
    lanes.run(dealt.batches, key);
    CHECK(results[0] != gradients_of(lanes, m.store));
  }
}

TEST_CASE("lanes: a lane may have nothing to do") {
  const TestModel m(kModel);
  const Dealt dealt(1, 1);
  Lanes one(m.transformer, m.store, {1, 1, 0.0}), three(m.transformer, m.store, {3, 2, 0.0});
  one.run(dealt.batches, {});
  const std::vector<MicroBatch> idle = {{Examples{}, dealt.batches[0][0], Examples{}}};
  three.run(idle, {});
  CHECK(worst_error(gradients_of(one, m.store), gradients_of(three, m.store)) < 1e-14);
  const std::vector<MicroBatch> nothing = {{Examples{}, Examples{}, Examples{}}};
  CHECK_MESSAGE_THROWN(three.run(nothing, {}), "lanes: an update without target tokens");
  CHECK_MESSAGE_THROWN(three.run(dealt.batches, {}), "lanes: a micro-batch for 1 lanes, not 3");
}

TEST_CASE("lanes: validation is the sum of the plain log-likelihood, dropout off") {
  const TestModel m(kDropping);
  const Dealt whole(1, 1), dealt(1, 3);
  Lanes one(m.transformer, m.store, {1, 1, 0.1}), three(m.transformer, m.store, {3, 2, 0.1});
  const double nll = one.negative_log_likelihood(whole.batches[0]);
  CHECK(three.negative_log_likelihood(dealt.batches[0]) == doctest::Approx(nll).epsilon(1e-12));
  const TestModel plain(kModel);
  Lanes unsmoothed(plain.transformer, plain.store, {1, 1, 0.0});
  CHECK(unsmoothed.run(whole.batches, {}).loss * 46 == doctest::Approx(nll).epsilon(1e-12));
}

TEST_CASE("lanes: a steady update allocates nothing") {
  const TestModel m(kDropping, DType::kFloat32);
  const Dealt dealt(2, 2);
  Lanes lanes(m.transformer, m.store, {2, 2, 0.1});
  for (std::uint64_t update = 0; update < 2; ++update) lanes.run(dealt.batches, {1, update});
  const std::int64_t before = heddle::testing::allocations();
  for (std::uint64_t update = 2; update < 6; ++update) lanes.run(dealt.batches, {1, update});
  CHECK(heddle::testing::allocations() == before);
}
