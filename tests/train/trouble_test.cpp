// Numbers that are not finite: skipped, gone back from, or the end of the run.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "autograd/parameter_file.h"
#include "decode/seal.h"
#include "decode/trained_model.h"
#include "tests/support/full_disk.h"
#include "tests/support/runs.h"
#include "train/run_history.h"
#include "train/run_state.h"

using namespace heddle;
using heddle::testing::after;
using heddle::testing::checkpoint_names;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::FullDisk;
using heddle::testing::read_bytes;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;

namespace {

constexpr auto kContinue = RunFolder::Open::kContinue;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
using Strings = std::vector<std::string>;

std::vector<nlohmann::json> lines_of(const SmallRun& small, const std::string& kind) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(small.bytes("run/metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (json["kind"] == kind) lines.push_back(std::move(json));
  }
  return lines;
}

/// Settings that bring the loss to overflow: plain momentum, nothing clipped.
Strings diverging(double learning_rate, int warmup, Strings more) {
  const nlohmann::json schedule = {
      {"type", "inverse_sqrt"}, {"learning_rate", learning_rate}, {"warmup", warmup}};
  more.insert(more.end(), {R"(optimizer={"type": "sgd", "momentum": 0.9})",
                           "schedule=" + schedule.dump(), "model.norm_order=pre",
                           "train.clip_norm=0", "train.validate_every=1000", "train.steps=60"});
  return more;
}

std::size_t skipped_updates(const std::string& said) {
  std::size_t count = 0;
  for (std::size_t i = 0; (i = said.find(" is skipped: ", i)) != said.npos; ++i) ++count;
  return count;
}

/// Text that somebody is told of as it grows.
class Told : public std::stringbuf {
 public:
  explicit Told(std::function<void(const std::string&)> tell) : tell_(std::move(tell)) {}

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::streamsize written = std::stringbuf::xsputn(text, size);
    tell_(str());
    return written;
  }
  std::function<void(const std::string&)> tell_;
};

/// A model with one number that does harm: without a seal, as a mean of checkpoints.
fs::path poisoned(SmallRun& small, const std::string& parameter, std::int64_t element,
                  float value) {
  small.train({.run = "healthy", .set = {"train.steps=2", "model.tie=none"}});
  const fs::path healthy = small / "healthy" / "checkpoints" / "last";
  const fs::path folder = small / "poisoned";
  fs::create_directory(folder);
  for (const char* file : {"config.json", "tokenizer"}) fs::copy(healthy / file, folder / file);
  const TrainedModel model(healthy);
  static_cast<float*>(model.store().data(model.store().find(parameter)))[element] = value;
  save_parameters(folder / "model.safetensors", model.store());
  return folder;
}

}  // namespace

TEST_CASE("trouble: an update that is not finite is skipped, with its sentences and the layer") {
  SmallRun small;
  const std::string sources = small.bytes("train.src"), targets = small.bytes("train.tgt");
  write_bytes(small / "train.src", sources + "mille\n");  // once in the text, as line 301
  write_bytes(small / "train.tgt", targets + "mille\n");
  // Finite itself, but not what attention makes of it; its id is the last but the start.
  const fs::path model = poisoned(small, "source_embedding.weight", 10 * 16 + 3, 1e30F);
  small.train({.set = {"train.init_from=" + model.string(), "model.tie=none", "train.steps=30",
                       "train.report_every=1"}});
  const std::vector<nlohmann::json> skipped = lines_of(small, "skipped");
  const RunHistory history = read_history(small / "run");
  const auto epochs = static_cast<std::size_t>(history.train.at("epoch").back().value);
  CAPTURE(small.said());
  CHECK((skipped.size() == epochs || skipped.size() == epochs + 1));
  CHECK(epochs >= 2);
  for (const nlohmann::json& line : skipped) {
    const auto lines = line["lines"].get<std::vector<std::int64_t>>();
    CHECK(std::ranges::count(lines, 301) == 1);
    CHECK(lines.size() < 60);
    CHECK(std::ranges::is_sorted(lines));
    CHECK(line["reason"] == "the loss is not a number");
    CHECK(contains(line["first"], ": its result "));
    CHECK(contains(line["first"], ", in layer encoder.layers.0"));
    CHECK(contains(small.said(), "update " + line["update"].dump() + " is skipped: the loss"));
  }
  // The others learn, and no number of theirs is lost.
  for (const CurvePoint& point : history.train.at("loss")) {
    const bool was_skipped = std::ranges::any_of(
        skipped, [&](const nlohmann::json& line) { return line["update"] == point.update; });
    CHECK(std::isfinite(point.value) != was_skipped);
  }
  const RunState state = read_state(small / "run" / "checkpoints" / "last" / "state.json");
  CHECK(state.update == 30);
  CHECK(state.rollbacks == 0);
}

TEST_CASE("trouble: weights that are no numbers end a run that has nothing to go back to") {
  SmallRun small;
  const fs::path model = poisoned(small, "encoder.layers.0.feed_forward.hidden.weight", 5, kNaN);
  const Strings set = {"train.init_from=" + model.string(), "model.tie=none"};
  const std::string message = failure<NumericError>([&] { small.train({.set = set}); });
  CHECK(contains(message,
                 "the loss is not a number in update 3, as in the 2 before; first in: parameter "
                 "encoder.layers.0.feed_forward.hidden.weight [24, 16] holds nan at element 5; no "
                 "update was finite: begin with other weights"));
  CHECK(lines_of(small, "skipped").size() == 3);
  CHECK_FALSE(fs::exists(small / "run" / "checkpoints" / "last"));  // nothing good was there
}

TEST_CASE("trouble: a moment that is not finite is not saved") {
  SmallRun small;
  small.train({.set = {"train.steps=8", "train.max_rollbacks=0"}});
  const Strings set = {"train.steps=20", "train.max_rollbacks=0"};
  const fs::path folder = small / "run" / "checkpoints" / "step-000008";
  const fs::path file = folder / "optimizer.safetensors";
  std::string bytes = read_bytes(file);
  const SafetensorsFile moments(file);
  const SafetensorsEntry& second =
      moments.at("adam.second.encoder.layers.0.feed_forward.hidden.bias");
  const float infinite = std::numeric_limits<float>::infinity();
  std::memcpy(bytes.data() + (bytes.size() - moments.data().size() + second.begin), &infinite,
              sizeof infinite);
  write_bytes(file, bytes);
  const RunState state = read_state(folder / "state.json");
  fs::remove(folder / "state.json");
  write_sealed(folder, state_text(state));  // as if such a one had been saved
  CHECK(small.train({.set = set, .open = kContinue, .stop = after(2)}) == Trainer::End::kNotSaved);
  CHECK(contains(small.said(), "not saved: behind update 10 the optimizer's "));
  CHECK(contains(small.said(),
                 " the optimizer's " + second.name + " holds a number that is not finite\n"));
  CHECK(contains(
      failure<NumericError>([&] {
        small.train({.set = {"train.steps=20", "train.max_rollbacks=0"}, .open = kContinue});
      }),
      "behind update 12 the optimizer's " + second.name));
}

TEST_CASE("trouble: a learning rate of a million is said") {
  SmallRun small;
  small.train({.set = {"schedule.learning_rate=1e6", "train.clip_norm=0", "schedule.warmup=0"}});
  for (const char* at : {"4", "8", "12"}) {
    CHECK(contains(small.said(), std::string(" at update ") + at + ", but 2."));
  }
  CHECK(contains(small.said(), "\nthe loss diverges: "));
  small.train({.run = "sane"});
  const std::string said = small.said();
  CHECK(said.rfind("the loss diverges") < said.find("sane: "));
}

TEST_CASE("trouble: while its loss diverges a run keeps all that it may go back to") {
  SmallRun small;
  const auto train = [&](const char* steps, RunFolder::Open open) {
    small.train({.set = {steps, "train.keep_last=1", "train.keep_best=2", "train.validate_every=4"},
                 .open = open});
  };
  const auto change = [&](const char* checkpoint, const std::function<void(RunState&)>& by) {
    const fs::path folder = small / "run" / "checkpoints" / checkpoint;
    RunState state = read_state(folder / "state.json");
    by(state);
    fs::remove(folder / "state.json");
    write_sealed(folder, state_text(state));
  };
  using Names = std::set<std::string>;
  train("train.steps=8", RunFolder::Open::kNew);
  // Any loss is far above that mean, and any validation is better than these.
  change("step-000008", [](RunState& state) {
    state.mean_loss = 0.001;
    state.best = {{.update = 8, .value = 1e8}, {.update = 4, .value = 1e9}};
  });
  train("train.steps=16", kContinue);
  const RunState state = read_state(small / "run" / "checkpoints" / "last" / "state.json");
  CHECK(state.diverging);
  CHECK(state.good == 8);
  CHECK(state.best[0].update == 16);
  CHECK(checkpoint_names(small, "run") ==
        Names{"best", "last", "step-000004", "step-000008", "step-000012", "step-000016"});
  change("step-000016", [](RunState& s) { s.mean_loss = 3.0; });
  train("train.steps=20", kContinue);
  CHECK(checkpoint_names(small, "run") == Names{"best", "last", "step-000016", "step-000020"});
}

TEST_CASE("trouble: a run that diverges goes back to its last good checkpoint and ends well") {
  const Strings set = diverging(100, 1000, {"train.rollback_factor=0.01", "train.keep_last=1"});
  SmallRun small;
  CHECK(small.train({.set = set}) == Trainer::End::kFinished);
  const std::string said = small.said();
  CHECK(contains(said, "\nthe loss diverges: "));
  CHECK(contains(said, " is skipped: the "));
  CHECK(contains(said, ", with 0.01 of the learning rate\n"));
  REQUIRE(lines_of(small, "rollback").size() == 1);
  const std::int64_t from = lines_of(small, "rollback")[0]["from"],
                     to = lines_of(small, "rollback")[0]["update"];
  CHECK(from > to + 3);
  CHECK(contains(said, "; the run goes back behind update " + std::to_string(to - 1) + ", "));
  CHECK(lines_of(small, "skipped").empty());  // cut off with the updates that were taken back
  const RunHistory whole = read_history(small / "run");
  CHECK(whole.train.at("loss").size() == 15);  // no update twice
  CHECK(whole.train.at("loss").back().value < 2.5);
  const std::string expected = small.bytes("run/checkpoints/last/state.json");
  const std::set<std::string> names = checkpoint_names(small, "run");
  CHECK(read_state(small / "run" / "checkpoints" / "last" / "state.json").rollbacks == 1);
  // Wherever it is stopped: before the trouble, in it, behind it.
  for (const int updates : {5, 14, 22, 30, 45, 60}) {
    CAPTURE(updates);
    small.train({.set = set, .open = RunFolder::Open::kForce, .stop = after(updates)});
    CHECK(read_history(small / "run").last_update() < 60);
    CHECK(small.train({.set = set, .open = kContinue}) == Trainer::End::kFinished);
    CHECK(small.bytes("run/checkpoints/last/state.json") == expected);
    CHECK(checkpoint_names(small, "run") == names);
    CHECK(lines_of(small, "rollback").size() == 1);
    CHECK(read_history(small / "run").train.at("loss").back().value ==
          whole.train.at("loss").back().value);
  }
}

TEST_CASE("trouble: a run that was never well begins again, and nothing of the first try is left") {
  const Strings set = diverging(15, 0, {"train.rollback_factor=0.001"});
  SmallRun small;
  CHECK(small.train({.set = set}) == Trainer::End::kFinished);
  const std::string said = small.said();
  CHECK(contains(said, "; the run goes back to its beginning, with 0.001 of the learning rate\n"));
  REQUIRE(lines_of(small, "rollback").size() == 1);
  CHECK(lines_of(small, "rollback")[0]["update"] == 1);
  const std::int64_t from = lines_of(small, "rollback")[0]["from"];
  CHECK(from > 4);  // a checkpoint was there, of weights that diverged
  CHECK(read_history(small / "run").train.at("loss").size() == 15);
  const std::string expected = small.bytes("run/checkpoints/last/state.json");
  const std::set<std::string> names = checkpoint_names(small, "run");
  // Stopped in the second try, before it saves anything of its own.
  const int second = static_cast<int>(from) + 2;
  small.train({.set = set, .open = RunFolder::Open::kForce, .stop = after(second)});
  const std::set<std::string> early = checkpoint_names(small, "run");
  CHECK(early.size() == 2);
  CHECK(early.begin()->starts_with("last"));
  CHECK(early.rbegin()->starts_with("resume-00000"));
  CHECK(small.train({.set = set, .open = kContinue}) == Trainer::End::kFinished);
  CHECK(small.bytes("run/checkpoints/last/state.json") == expected);
  // Dead there, with nothing saved: both tries come again.
  int asked = 0;
  const auto dies = [&]() -> bool {
    if (++asked == second) throw std::runtime_error("dead");
    return false;
  };
  CHECK_THROWS_AS(small.train({.set = set, .open = RunFolder::Open::kForce, .stop = dies}),
                  std::runtime_error);
  CHECK(checkpoint_names(small, "run").empty());
  CHECK(small.train({.set = set, .open = kContinue}) == Trainer::End::kFinished);
  CHECK(small.bytes("run/checkpoints/last/state.json") == expected);
  CHECK(checkpoint_names(small, "run") == names);
  CHECK(read_history(small / "run").train.at("loss").size() == 15);
}

TEST_CASE("trouble: a disk that is full while a run goes back is waited for") {
  const Strings set = diverging(15, 0, {"train.rollback_factor=0.001"});
  SmallRun small;
  small.train({.run = "whole", .set = set});
  std::optional<FullDisk> disk;
  bool was_full = false;
  Told told([&](const std::string& said) {
    if (!was_full && skipped_updates(said) == 3) {
      was_full = true;
      disk.emplace(0);
    }
    if (disk && contains(said, "; the run waits and tries again for ")) disk.reset();
  });
  std::ostream stream(&told);
  Progress progress(stream, false);
  CHECK(small.training({.set = set}, progress).run() == Trainer::End::kFinished);
  CHECK(was_full);
  CHECK_FALSE(disk);
  CHECK(small.bytes("run/checkpoints/last/state.json") ==
        small.bytes("whole/checkpoints/last/state.json"));
  CHECK(lines_of(small, "rollback").size() == 1);
}

TEST_CASE("trouble: a run whose older checkpoints are gone does not begin again by itself") {
  SmallRun small;
  write_bytes(small / "train.src", small.bytes("train.src") + "mille\n");
  write_bytes(small / "train.tgt", small.bytes("train.tgt") + "mille\n");
  const fs::path model = poisoned(small, "source_embedding.weight", 10 * 16 + 3, 1e30F);
  const std::string message = failure<NumericError>([&] {
    small.train({.set = {"train.init_from=" + model.string(), "model.tie=none", "train.steps=30",
                         "train.max_skipped=1", "train.checkpoint_every=1", "train.keep_last=1"}});
  });
  CHECK(contains(message,
                 "; the last good checkpoint lies directly before, and there is none "
                 "before it: begin again from it"));
  const std::set<std::string> names = checkpoint_names(small, "run");
  CHECK(names.contains("last"));
  CHECK(std::ranges::count_if(names, [](const auto& n) { return n.starts_with("step-"); }) == 1);
}

TEST_CASE("trouble: no more tries than asked for") {
  SmallRun small;
  const std::string message = failure<NumericError>([&] {
    small.train({.set = diverging(15, 0, {"train.rollback_factor=1", "train.max_rollbacks=2"})});
  });
  CHECK(contains(message, "; the run went back 2 times: begin again with a lower "));
}

TEST_CASE("trouble: weights that are no numbers are not saved when the run is stopped") {
  SmallRun small;
  const fs::path model = poisoned(small, "encoder.layers.0.feed_forward.hidden.weight", 5, kNaN);
  const Strings set = {
      "train.init_from=" + model.string(), "model.tie=none",           "train.max_skipped=100",
      "train.checkpoint_every=100",        "train.validate_every=100", "train.steps=50"};
  int asked = 0;
  CHECK(small.train({.set = set, .stop = after(12), .save = [&] { return ++asked == 2; }}) ==
        Trainer::End::kNotSaved);
  CHECK(contains(small.said(), "\nnot saved: behind update "));
  CHECK_FALSE(contains(small.said(), "\nsaved at update "));
  CHECK(checkpoint_names(small, "run").empty());
}
