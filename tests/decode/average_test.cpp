// The mean of checkpoints is a model.
#include "decode/average.h"

#include <doctest/doctest.h>

#include <cmath>

#include "decode/trained_model.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "train/run_folder.h"
#include "train/selection.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

/// A run with three checkpoints.
struct Averaged {
  Averaged() { small.train({.set = {"train.steps=9", "train.checkpoint_every=3"}}); }

  fs::path run() const { return small / "run"; }
  std::string average(const std::string& arguments) const {
    return "average " + run().string() + " " + arguments + " --output " + out().string();
  }
  fs::path out() const { return small / "averaged"; }

  SmallRun small;
};

std::vector<float> weights(const fs::path& model) {
  const TrainedModel trained(model);
  const auto* values = static_cast<const float*>(trained.store().slab());
  return {values, values + trained.store().elements()};
}

TEST_CASE("average: weights are the mean, the rest is that of the first") {
  const Averaged a;
  const std::vector<fs::path> checkpoints = checkpoints_in(a.run());
  REQUIRE(checkpoints.size() == 3);
  CHECK(checkpoints[0].filename() == "step-000003");
  average_models(checkpoints, a.out());
  const std::vector<float> mean = weights(a.out());
  std::vector<std::vector<float>> each;
  for (const fs::path& c : checkpoints) each.push_back(weights(c));
  CHECK(each[0] != each[2]);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double expected = (double{each[0][i]} + each[1][i] + each[2][i]) / 3.0;
    wrong += std::abs(mean[i] - expected) > 1e-7 ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(read_bytes(a.out() / "config.json") == read_bytes(checkpoints[0] / "config.json"));
  CHECK(fs::exists(checkpoints[0] / "optimizer.safetensors"));
  CHECK_FALSE(fs::exists(a.out() / "optimizer.safetensors"));
}

TEST_CASE("average: a finished run leaves the mean that its config asks for") {
  SmallRun small;
  const auto train = [&](const std::string& steps, RunFolder::Open open) {
    small.train({.set = {steps, "train.checkpoint_every=3", "train.validate_every=3",
                         "train.average_last=2"},
                 .open = open});
  };
  const auto check_mean = [&](const char* name) {
    std::vector<fs::path> last = checkpoints_in(small / "run");
    last.erase(last.begin(), last.end() - 2);
    average_models(last, small / name);
    CHECK(weights(small / "run" / "averaged") == weights(small / name));
  };
  train("train.steps=9", RunFolder::Open::kNew);
  CHECK(contains(small.said(), "the mean of the last 2 checkpoints: "));
  check_mean("nine");
  train("train.steps=12", RunFolder::Open::kContinue);
  check_mean("twelve");
  CHECK(weights(small / "nine") != weights(small / "twelve"));
  SmallRun wrong;
  CHECK_THROWS_WITH_AS(wrong.train({.set = {"train.average_last=4"}}),
                       doctest::Contains("4 checkpoints, but keep_last keeps 3"), ConfigError);
}

TEST_CASE("average: checkpoints behind the last one are none of the last") {
  const Averaged a;
  fs::remove(a.run() / "checkpoints/last");
  fs::create_symlink("step-000006", a.run() / "checkpoints/last");
  const std::vector<fs::path> checkpoints = checkpoints_in(a.run());
  const std::vector<fs::path> two(checkpoints.begin(), checkpoints.begin() + 2);
  CHECK(last_checkpoints(a.run(), 6, 3) == two);
  const Outcome done = heddle_run(a.average("--last 2"));
  CHECK(done.out == two[0].string() + "\n" + two[1].string() + "\n");
  fs::remove(a.run() / "checkpoints/last");
  fs::remove_all(a.out());
  CHECK(heddle_run(a.average("--last 1")).out == checkpoints[2].string() + "\n");  // of a copy
}

TEST_CASE("cli average: the last checkpoints of a run, and what cannot be averaged") {
  const Averaged a;
  const Outcome done = heddle_run(a.average("--last 2"));
  CHECK(done.code == 0);
  CHECK(done.out == (a.run() / "checkpoints/step-000006").string() + "\n" +
                        (a.run() / "checkpoints/step-000009").string() + "\n");
  CHECK(heddle_run("translate " + a.out().string() + " < /dev/null").code == 0);
  CHECK(heddle_run("inspect " + a.out().string()).code == 0);
  check_failure(a.average("--last 2"), 5,
                "heddle: " + a.out().string() + ": is there already; give a new folder");
  fs::remove_all(a.out());
  check_failure(a.average("--last 4"), 5,
                "heddle: " + a.run().string() +
                    ": of its last checkpoints 3 are there, not 4; train.keep_last says how many a "
                    "run keeps");
  const fs::path last = a.run() / "checkpoints/last";
  check_failure(a.average(last.string() + " " + (a.run() / "checkpoints/step-000009").string()), 5,
                "heddle: " + last.string() +
                    ": is given twice: " + (a.run() / "checkpoints/step-000009").string());
  check_failure("average " + (a.small / "nowhere").string() + " --last 2 --output x", 5,
                "heddle: " + (a.small / "nowhere").string() + ": is no folder of a run");
  CHECK(heddle_run(a.average("")).code == 2);
  CHECK(heddle_run("average " + a.run().string() + " --last 2 --output ''").code == 2);
  const auto check_mixed = [&](const std::string& set, const std::string& reason) {
    SmallRun other;
    other.train({.set = {"train.steps=1", set}});
    const Outcome mixed = heddle_run(a.average((other / "run").string()));
    CHECK(mixed.code == 5);
    CHECK(contains(mixed.err, reason + "; give checkpoints of one run"));
    CHECK_FALSE(fs::exists(a.out()));
  };
  const std::ptrdiff_t files = a.small.folder().files();
  check_mixed("model.d_model=32", ": their parameters differ");
  check_mixed("model.activation=gelu", ": their model sections differ");
  check_mixed("data.tokenizer.type=character", ": their parameters differ");
  CHECK(a.small.folder().files() == files);
}

}  // namespace
}  // namespace heddle::testing
