// Dropout at its four places: each has a rate of its own, and none is on in inference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/models.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::json_object;
using heddle::testing::kOneLayer;
using heddle::testing::kVocabulary;
using heddle::testing::Sentences;
using heddle::testing::TestModel;

namespace {

double loss_of(const TestModel& m, Mode mode, std::uint64_t seed) {
  const Sentences source({4, 3}, kVocabulary, 1), target({3, 5}, kVocabulary, 2);
  const Sentences input = target.shifted(kVocabulary);
  const std::vector<double> weights(8, 1.0 / 8);
  Context c;
  c.begin(mode, {.seed = seed});
  return m.transformer.loss(c, {source.tokens(), input.tokens(), target.ids}, weights, 0.1).value();
}

const std::vector<std::string> kPlaces = {"embedding_dropout", "residual_dropout",
                                          "attention_dropout", "activation_dropout"};

}  // namespace

TEST_CASE("dropout: off in inference and at rate 0, on in training at each place") {
  const double plain =
      loss_of(TestModel(json_object(kOneLayer, R"("dropout": 0)")), Mode::kTraining, 1);
  std::vector<double> losses = {plain};
  for (const std::string& place : kPlaces) {
    CAPTURE(place);
    const TestModel m(json_object(kOneLayer, "\"dropout\": 0, \"" + place + "\": 0.5"));
    CHECK(loss_of(m, Mode::kInference, 1) == doctest::Approx(plain).epsilon(1e-12));
    const double dropped = loss_of(m, Mode::kTraining, 1);
    CHECK(dropped == loss_of(m, Mode::kTraining, 1));
    CHECK(dropped != loss_of(m, Mode::kTraining, 2));
    losses.push_back(dropped);
  }
  std::ranges::sort(losses);
  CHECK(std::ranges::adjacent_find(losses) == losses.end());
}

TEST_CASE("dropout: \"dropout\" stands for embeddings and residual connections") {
  const TestModel all(json_object(kOneLayer, R"("dropout": 0.3)"));
  const TestModel named(
      json_object(kOneLayer, R"("dropout": 0, "embedding_dropout": 0.3, "residual_dropout": 0.3)"));
  const TestModel standard(json_object(kOneLayer)),
      tenth(json_object(kOneLayer, R"("dropout": 0.1)"));
  CHECK(loss_of(all, Mode::kTraining, 1) == loss_of(named, Mode::kTraining, 1));
  CHECK(loss_of(standard, Mode::kTraining, 1) == loss_of(tenth, Mode::kTraining, 1));
  CHECK(loss_of(all, Mode::kTraining, 1) != loss_of(tenth, Mode::kTraining, 1));
}

TEST_CASE("dropout: a side may have rates of its own") {
  const TestModel none(json_object(kOneLayer, R"("dropout": 0)"));
  const TestModel decoder(json_object(kOneLayer, R"("dropout": 0, "decoder": {"dropout": 0.3})"));
  const Sentences source({4, 3}, kVocabulary, 1);
  Context a, b;
  a.begin(Mode::kTraining);
  b.begin(Mode::kTraining);
  CHECK(heddle::testing::doubles(none.transformer.encode(a, source.tokens()).states) ==
        heddle::testing::doubles(decoder.transformer.encode(b, source.tokens()).states));
  CHECK(loss_of(none, Mode::kTraining, 1) != loss_of(decoder, Mode::kTraining, 1));
}

TEST_CASE("positions: a sentence longer than learned positions is refused, sinusoids have no end") {
  const Sentences longer({4, 700}, kVocabulary, 1);
  const TestModel learned(
      json_object(kOneLayer, R"("positions": "learned", "max_positions": 600)"));
  Context c;
  c.begin(Mode::kInference);
  CHECK_MESSAGE_THROWN(learned.transformer.encode(c, longer.tokens()),
                       "embed: sentence 1 needs positions 0 to 699 of positions [600, 8]");
  for (const char* positions : {"sinusoidal", "rotary"}) {
    CAPTURE(positions);
    const TestModel m(json_object(kOneLayer, std::string("\"positions\": \"") + positions + "\""));
    c.begin(Mode::kInference);
    const Tensor states = m.transformer.encode(c, longer.tokens()).states;
    CHECK(states.shape == Shape{704, 8});
    CHECK(std::isfinite(states.value(703 * 8)));
  }
}
