// Learning rates against their formulas, written out, and against PyTorch's schedulers.
#include "optim/schedule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "autograd/safetensors.h"
#include "tests/support/places.h"

using namespace heddle;

namespace {

/// The schedule of a config that is right.
Schedule schedule(const std::string& text, std::int64_t d_model = 512, std::int64_t updates = 0) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  const Schedule result(document.root(), d_model, updates);
  document.finish();
  return result;
}

std::string schedule_error(const std::string& text, std::int64_t updates = 0) {
  try {
    schedule(text, 512, updates);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-12 * std::abs(b);
}

}  // namespace

TEST_CASE("schedule: noam is the default, as in the paper") {
  const Schedule paper = schedule("{}");
  for (const std::int64_t t : {1, 2, 100, 3999, 4000, 4001, 10000, 300000}) {
    CAPTURE(t);
    const auto x = static_cast<double>(t);
    const double expected =
        std::min(1.0 / std::sqrt(x), x / (4000.0 * std::sqrt(4000.0))) / std::sqrt(512.0);
    CHECK(near(paper(t), expected));
  }
  CHECK(near(paper(4000), 0.00069877124296868431));
  const Schedule other = schedule(R"({"warmup": 100, "learning_rate": 2})", 64);
  CHECK(near(other(25), 2.0 / 8.0 * 25.0 / 1000.0));
  CHECK(near(other(400), 2.0 / 8.0 / 20.0));
  CHECK(near(schedule(R"({"warmup": 0})", 64)(4), 1.0 / 16.0));
}

TEST_CASE("schedule: inverse_sqrt climbs to its peak and falls with the root") {
  const Schedule s = schedule(R"({"type": "inverse_sqrt", "warmup": 10, "learning_rate": 0.5})");
  CHECK(near(s(1), 0.05));
  CHECK(near(s(9), 0.45));
  CHECK(near(s(10), 0.5));
  CHECK(near(s(40), 0.25));
  const Schedule cold = schedule(R"({"type": "inverse_sqrt", "warmup": 0})");
  CHECK(near(cold(1), 1e-3));
  CHECK(near(cold(100), 1e-4));
}

TEST_CASE("schedule: cosine, linear and constant give the learning rates of PyTorch") {
  const SafetensorsFile file(heddle::testing::source_folder() +
                             "/tests/golden/optimizers.safetensors");
  for (const std::string type : {"cosine", "linear", "constant"}) {
    CAPTURE(type);
    const std::string decay =
        type == "constant" ? "" : R"(, "final_learning_rate": 0.004, "decay_steps": 25)";
    const std::string common = R"({"warmup": 5, "learning_rate": 0.02, "type": ")";
    const Schedule s = schedule(common + type + "\"" + decay + "}");
    const auto bytes = file.bytes(file.at("schedule." + type));
    REQUIRE(bytes.size() == 30 * sizeof(double));
    for (std::int64_t t = 1; t <= 30; ++t) {
      CAPTURE(t);
      double expected = 0.0;
      std::memcpy(&expected, bytes.data() + static_cast<std::size_t>(t - 1) * sizeof expected,
                  sizeof expected);
      CHECK(near(s(t), expected));
    }
  }
}

TEST_CASE("schedule: a decay ends with the run, at 0, unless the config says otherwise") {
  const Schedule s = schedule(R"({"type": "linear", "warmup": 0})", 512, 200);
  CHECK(near(s(100), 0.5e-3));
  CHECK(s(200) == 0.0);
  CHECK(s(1000) == 0.0);
  const Schedule given =
      schedule(R"({"type": "cosine", "warmup": 0, "decay_steps": 50})", 512, 200);
  CHECK(near(given(25), 0.5e-3));
  CHECK(given(50) == 0.0);
}

TEST_CASE("schedule: what is wrong is said") {
  CHECK(
      schedule_error(R"({"type": "nom"})") ==
      "test.json:1:10: type: \"nom\" is none of noam, inverse_sqrt, cosine, linear, constant; did "
      "you mean \"noam\"?");
  CHECK(schedule_error(R"({"warmup": -1})") ==
        "test.json:1:12: warmup: -1 is outside 0 to 1000000000000");
  CHECK(schedule_error(R"({"learning_rate": 0})") ==
        "test.json:1:19: learning_rate: 0 is not above 0");
  CHECK(schedule_error(R"({"decay_steps": 5})") ==
        "test.json:1:2: decay_steps: has no effect: it is for the types \"cosine\" and "
        "\"linear\"");
  CHECK(schedule_error(R"({"type": "cosine"})") ==
        "test.json:1:1: decay_steps: needs a number, because the run does not say how many updates "
        "it has");
  CHECK(schedule_error(R"({"type": "cosine"})", 4000) ==
        "test.json:1:1: warmup: a warm-up of 4000 updates, the default, leaves none for the decay, "
        "which ends at update 4000; lower warmup or raise train.steps");
  CHECK(schedule_error(R"({"type": "linear", "warmup": 3, "decay_steps": 3})", 4000) ==
        "test.json:1:30: warmup: a warm-up of 3 updates leaves none for the decay, which ends at "
        "update 3; lower warmup or raise decay_steps");
  CHECK(schedule_error(R"({"type": "linear", "warmup": 3, "decay_steps": 4})") == "");
}
