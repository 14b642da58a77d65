// Whole runs: what they leave, how they go on, and that bits depend on the config alone.
#include "train/training.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>

#include "decode/trained_model.h"
#include "tests/support/runs.h"
#include "tests/support/throws.h"
#include "train/checkpoint.h"

using namespace heddle;
using heddle::testing::after;
using heddle::testing::checkpoint_names;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;
using heddle::testing::write_reversals;
namespace fs = std::filesystem;

namespace {

using Updates = std::vector<std::int64_t>;

/// The files of a checkpoint that later bits depend on.
std::string checkpoint_bytes(const SmallRun& small, const std::string& checkpoint) {
  std::string bytes;
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json"}) {
    const std::string content = small.bytes(checkpoint + "/" + file);
    REQUIRE_FALSE(content.empty());
    bytes += content;
  }
  return bytes;
}

/// metrics.jsonl without what a clock says.
std::vector<nlohmann::json> metrics_of(const SmallRun& small, const std::string& run) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(small.bytes(run + "/metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    CHECK(json["seconds"] > 0.0);
    for (const char* clock : {"seconds", "waited_seconds", "tokens_per_second"}) json.erase(clock);
    lines.push_back(json);
  }
  return lines;
}

}  // namespace

TEST_CASE("training: leaves a config, metrics, and complete checkpoints") {
  SmallRun small;
  CHECK(small.train({}) == Trainer::End::kFinished);
  CHECK(contains(small.said(), "train: 300 pairs, 300 kept\n"));
  CHECK(contains(small.said(), "\nupdate 4/12  training loss, smoothed "));
  CHECK(contains(small.said(), "\nvalidation at update 12: loss "));
  CHECK(contains(small.said(), "\n  translation  "));

  const std::vector<nlohmann::json> metrics = metrics_of(small, "run");
  REQUIRE(metrics.size() == 5);  // reports at 4, 8, 12; validations at 6, 12
  CHECK(metrics[0]["update"] == 4);
  CHECK(metrics[1]["kind"] == "validation");
  CHECK(metrics[1]["perplexity"].get<double>() ==
        doctest::Approx(std::exp(metrics[1]["loss"].get<double>())));
  CHECK(metrics[4]["loss"] < metrics[1]["loss"]);

  const RunFolder folder(small / "run", RunFolder::Open::kContinue);
  CHECK(folder.pointed("last") == 12);
  CHECK(folder.pointed("best") == 12);
  CHECK(folder.checkpoints() == Updates{6, 8, 12});  // the last three
  const nlohmann::json config = nlohmann::json::parse(small.bytes("run/config.json"));
  CHECK(config["train"]["lanes"] == 2);
  CHECK(config["data"]["train"]["source"] == (small / "train.src").string());
  CHECK(config["model"]["norm_order"] == "post");  // a default
  const RunState state = read_state(folder.checkpoint(12) / "state.json");
  CHECK(state.update == 12);
  CHECK(state.target_tokens > 2000);

  const TrainedModel model(small / "run");
  CHECK(model.folder() == folder.checkpoint(12));
  CHECK(model.tokenizers().joint());
}

TEST_CASE("training: the best checkpoint is that of the metric that the config names") {
  SmallRun small;
  small.train({.set = {"train.steps=60", "train.validate_every=10", "train.best_by=chrf"}});
  double best = -1.0;
  std::int64_t update = 0, validations = 0;
  for (const nlohmann::json& line : metrics_of(small, "run")) {
    if (line["kind"] != "validation") continue;
    ++validations;
    REQUIRE(line.contains("loss"));
    if (line["chrf"] <= best) continue;
    best = line["chrf"];
    update = line["update"];
  }
  CHECK(validations == 6);
  CHECK(best > 0.0);
  CHECK(contains(small.said(), ", chrF2 "));
  const RunFolder folder(small / "run", RunFolder::Open::kContinue);
  CHECK(folder.pointed("best") == update);
  const RunState state = read_state(folder.checkpoint(*folder.pointed("last")) / "state.json");
  REQUIRE(state.best.size() == 1);
  CHECK(state.best[0].update == update);
  CHECK(state.best[0].value == doctest::Approx(best));
}

TEST_CASE("training: patience ends a run that gets no better, also one that was resumed") {
  const std::vector<std::string> still = {"schedule.learning_rate=1e-30", "train.steps=100",
                                          "train.patience=2"};
  SmallRun small;
  CHECK(small.train({.set = still}) == Trainer::End::kFinished);
  CHECK(contains(small.said(), "no better validation in 2 in a row: the run ends\n"));
  {
    const RunFolder folder(small / "run", RunFolder::Open::kContinue);
    CHECK(folder.pointed("best") == 6);
    CHECK(folder.pointed("last") == 18);
  }
  CHECK(small.train({.run = "stopped", .set = still, .stop = after(13)}) == Trainer::End::kStopped);
  small.train({.run = "stopped", .set = still, .open = RunFolder::Open::kContinue});
  CHECK(checkpoint_bytes(small, "stopped/checkpoints/step-000018") ==
        checkpoint_bytes(small, "run/checkpoints/step-000018"));
  std::vector<std::string> longer = still;
  longer.back() = "train.patience=3";
  small.train({.set = longer, .open = RunFolder::Open::kContinue});
  const RunFolder folder(small / "run", RunFolder::Open::kContinue);
  CHECK(folder.pointed("last") == 24);
}

TEST_CASE("training: bits depend on lanes and seed, not on threads, and not on the day") {
  SmallRun small;
  small.train({.run = "one", .threads = 1});
  const std::string expected = checkpoint_bytes(small, "one/checkpoints/step-000012");
  for (const int threads : {2, 4, 2}) {
    CAPTURE(threads);
    const std::string run = "run" + std::to_string(threads);
    small.train({.run = run, .open = RunFolder::Open::kForce, .threads = threads});
    CHECK(checkpoint_bytes(small, run + "/checkpoints/step-000012") == expected);
  }
  CHECK(metrics_of(small, "one") == metrics_of(small, "run4"));
  small.train({.run = "seed", .set = {"seed=2"}});
  CHECK(checkpoint_bytes(small, "seed/checkpoints/step-000012") != expected);
}

TEST_CASE("training: a run that was stopped goes on as if it had not been") {
  SmallRun small;
  const std::vector<std::string> set = {"train.accumulate=2", "train.keep_last=20"};
  small.train({.run = "whole", .set = set});
  const std::string expected = checkpoint_bytes(small, "whole/checkpoints/step-000012");
  for (const int updates : {0, 1, 5, 6, 11}) {
    CAPTURE(updates);
    const std::string run = "run" + std::to_string(updates);
    // Asked once per block of text as well, of which there are two.
    CHECK(small.train({.run = run, .set = set, .stop = after(updates + 2)}) ==
          Trainer::End::kStopped);
    CHECK(RunFolder(small / run.c_str(), RunFolder::Open::kContinue).pointed("last") == updates);
    CHECK(fs::exists(small / (run + "/checkpoints/last/state.json").c_str()));
    CHECK(small.train({.run = run,
                       .set = set,
                       .open = RunFolder::Open::kContinue,
                       .threads = updates % 2 + 1}) == Trainer::End::kFinished);
    CHECK(checkpoint_bytes(small, run + "/checkpoints/step-000012") == expected);
    CHECK(metrics_of(small, run) == metrics_of(small, "whole"));
    CHECK(checkpoint_names(small, run) == checkpoint_names(small, "whole"));
  }
  // What is finished stays so; a later end is trained up to.
  CHECK(small.train({.run = "whole", .set = set, .open = RunFolder::Open::kContinue}) ==
        Trainer::End::kFinished);
  CHECK(checkpoint_bytes(small, "whole/checkpoints/step-000012") == expected);
  std::vector<std::string> longer = set;
  longer.push_back("train.steps=14");
  small.train({.run = "whole", .set = longer, .open = RunFolder::Open::kContinue});
  small.train({.run = "longer", .set = longer});
  CHECK(small.bytes("whole/checkpoints/step-000014/model.safetensors") ==
        small.bytes("longer/checkpoints/step-000014/model.safetensors"));
}

TEST_CASE(
    "training: a validation that the user does not wait for comes first when the run goes on") {
  SmallRun small;
  const std::vector<std::string> set = {"train.keep_last=20",
                                        "train.batch_tokens=100",
                                        "train.metrics=[\"chrf\"]",
                                        "train.epochs=2",
                                        "train.steps=1000",
                                        "train.validate_every_epochs=1",
                                        "train.checkpoint_every_epochs=1"};
  small.train({.run = "whole", .set = set});
  const std::vector<nlohmann::json> metrics = metrics_of(small, "whole");
  const std::int64_t end = metrics.back()["update"];
  const auto same_as_whole = [&](const std::string& run) {
    const RunFolder folder(small / "whole", RunFolder::Open::kContinue);
    for (const std::int64_t update : folder.checkpoints()) {
      const std::string name = "/checkpoints/" + folder.checkpoint(update).filename().string();
      CHECK(checkpoint_bytes(small, run + name) == checkpoint_bytes(small, "whole" + name));
    }
    CHECK(metrics_of(small, run) == metrics);
    CHECK(checkpoint_names(small, run) == checkpoint_names(small, "whole"));
  };
  int left = 0;
  for (int patience = 0; patience < 40; ++patience) {
    CAPTURE(patience);
    const std::string run = "run" + std::to_string(patience);
    std::atomic<int> waited = 0;
    const auto hurry = [&] { return ++waited > patience; };
    const auto stop = [&] { return waited > patience; };
    if (small.train({.run = run, .set = set, .stop = stop, .hurry = hurry}) ==
        Trainer::End::kFinished) {
      break;
    }
    const RunState state = read_state(small / (run + "/checkpoints/last/state.json").c_str());
    left += state.validation_due ? 1 : 0;
    // A process that dies behind the line of its validation: it is not there twice.
    const std::string killed = run + "killed";
    fs::copy(small / run.c_str(), small / killed.c_str(),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    if (state.validation_due) {
      MetricsFile(small / (killed + "/metrics.jsonl").c_str(), state.update)
          .append(state.update, {{"kind", std::string("validation")}});
    }
    for (const std::string& each : {run, killed}) {
      CHECK(small.train({.run = each, .set = set, .open = RunFolder::Open::kContinue}) ==
            Trainer::End::kFinished);
      same_as_whole(each);
    }
  }
  CHECK(left >= 4);
  CHECK(end > 4);
}

TEST_CASE("training: goes on behind the newest checkpoint where the link is lost") {
  SmallRun small;
  small.train({});
  small.train({.run = "longer", .set = {"train.steps=16"}});
  fs::remove(small / "run" / "checkpoints" / "last");
  small.train({.set = {"train.steps=16"}, .open = RunFolder::Open::kContinue});
  CHECK(checkpoint_bytes(small, "run/checkpoints/step-000016") ==
        checkpoint_bytes(small, "longer/checkpoints/step-000016"));
  // Back to an older one: what is newer stays until it is written anew, and so does the newest.
  RunFolder(small / "run", RunFolder::Open::kContinue).point("last", 12);
  small.train({.set = {"train.steps=13", "train.keep_last=1"}, .open = RunFolder::Open::kContinue});
  const RunFolder folder(small / "run", RunFolder::Open::kContinue);
  CHECK(folder.pointed("last") == 13);
  CHECK(folder.checkpoints() == Updates{13, 16});
}

TEST_CASE("training: another model or another text does not continue a run") {
  SmallRun small;
  small.train({});
  const auto resume = [&](const std::vector<std::string>& set) {
    small.train({.set = set, .open = RunFolder::Open::kContinue});
  };
  CHECK(failure<ConfigError>([&] {
          resume({"model.d_ff=32", "train.batch_tokens=100", "train.report_every=1"});
        }) ==
        "this config cannot continue the run: model.d_ff was 24 and is 32; train.batch_tokens was "
        "200 and is 100; take these back, or "
        "begin another run with --run");
  CHECK(contains(failure([&] { small.train({}); }), "continue it with --resume"));
  write_reversals(small / "train.src", small / "train.tgt", 300, 5);
  CHECK(failure<DataError>([&] { resume({}); }) ==
        "the training text (" + (small / "train.src").string() + ", " +
            (small / "train.tgt").string() +
            ") changed since the run began, so that it cannot be continued: restore it, or begin "
            "another run with --run or --force");
  write_reversals(small / "train.src", small / "train.tgt", 300, 1);
  resume({});  // the same text again, though the files are new
  write_bytes(small / "run" / "config.json", "[]");
  CHECK(failure([&] { resume({}); }) ==
        (small / "run" / "config.json").string() +
            ": is damaged; copy the config.json of the run's last checkpoint here");
  fs::copy_file(small / "run" / "checkpoints" / "last" / "config.json",
                small / "run" / "config.json", fs::copy_options::overwrite_existing);
  resume({});
  for (const auto& entry : fs::directory_iterator(small / "run" / "checkpoints")) {
    write_bytes(entry.path() / "state.json", R"({"format": 1})");
  }
  CHECK(contains(failure([&] { resume({}); }), "no checkpoint of the run can be taken"));
  CHECK(contains(small.said(), "state.json: is of another version"));
}

TEST_CASE("training: epochs end a run, and with them an update") {
  SmallRun small;
  small.train({.set = {"train.steps=unlimited", "train.epochs=2", "train.accumulate=4"}});
  const RunState state = read_state(small / "run" / "checkpoints" / "last" / "state.json");
  CHECK(state.cursor == Cursor{2, 0});
  const std::string targets = small.bytes("train.tgt");
  const auto words_and_ends = std::ranges::count_if(targets, [](char c) { return c <= ' '; }) + 300;
  CHECK(state.target_tokens == 2 * words_and_ends);
}

TEST_CASE("training: pairs that are held out are for validation") {
  SmallRun small;
  write_bytes(small / "run.json", R"({
      "model": {"d_model": 16, "heads": 2, "d_ff": 24, "layers": 1},
      "data": {"train": {"source": "train.src", "target": "train.tgt"}, "valid": {"hold_out": 50},
               "tokenizer": {"type": "word", "sides": "separate", "source": {"min_count": 2}}},
      "schedule": {"type": "constant"},
      "train": {"batch_tokens": 300, "epochs": 1, "lanes": 1}})");
  CHECK(failure<ConfigError>([&] { small.train({}); }) ==
        (small / "run.json").string() +
            ":2:16: model.tie: source and target have vocabularies of their own; take "
            "\"target_output\" "
            "or \"none\", or one tokenizer for both");
  small.train({.set = {"model.tie=target_output"}});
  CHECK(metrics_of(small, "run").back()["kind"] == "validation");
  const TrainedModel model(small / "run");
  CHECK_FALSE(model.tokenizers().joint());
  CHECK(
      failure<DataError>([&] {
        small.train({.run = "many", .set = {"model.tie=target_output", "data.valid.hold_out=300"}});
      }) ==
      "cannot hold out 300 pairs for validation: the corpus has 300 that can be used; lower "
      "hold_out");
  CHECK_FALSE(fs::exists(small / "many"));
}

TEST_CASE("training: begins with the weights and the tokenizer of another model") {
  SmallRun small;
  small.train({});
  const std::string from = "train.init_from=" + (small / "run").string();
  small.train({.run = "same", .set = {from, "train.steps=1", "schedule.learning_rate=1e-30"}});
  CHECK(small.bytes("same/checkpoints/last/tokenizer") ==
        small.bytes("run/checkpoints/last/tokenizer"));
  CHECK(small.bytes("same/checkpoints/last/model.safetensors") ==
        small.bytes("run/checkpoints/last/model.safetensors"));
  CHECK(read_state(small / "same" / "checkpoints" / "last" / "state.json").update == 1);
  small.train(
      {.run = "bytes", .set = {from, "train.steps=1", "data.tokenizer={\"type\": \"byte\"}"}});
  CHECK(contains(small.said(), "the tokenizer is that of " + (small / "run").string()));
  CHECK(nlohmann::json::parse(small.bytes("bytes/config.json"))["data"]["tokenizer"]["type"] ==
        "word");
  small.train({.run = "other", .set = {from, "train.steps=1", "model.output_bias=true"}});
  CHECK(contains(small.said(), "; missing output.bias\n"));
  small.train(
      {.run = "less", .set = {"train.init_from=" + (small / "other").string(), "train.steps=1"}});
  CHECK(contains(small.said(), "; unexpected output.bias\n"));
  CHECK(contains(failure([&] {
                   small.train({.run = "wide", .set = {from, "model.d_ff=32"}});
                 }),
                 "feed_forward.hidden.weight: [24, 16] in the file, [32, 16] in the model"));
  CHECK_FALSE(fs::exists(small / "wide"));
}

TEST_CASE("training: a sentence that no position is learnt for is refused at once") {
  SmallRun small;
  CHECK(contains(failure<ConfigError>([&] {
                   small.train({.set = {"model.positions=learned", "model.max_positions=20"}});
                 }),
                 "data.max_length: 32 is more than the model's max_positions, 20"));
  CHECK_FALSE(fs::exists(small / "run"));
}

TEST_CASE("training: a dry run measures and leaves nothing") {
  SmallRun small;
  std::ostringstream shown;
  Progress progress(shown, false);
  const Training::Estimate estimate = small.training({}, progress).dry_run();
  CHECK(estimate.pairs == 300);
  CHECK(estimate.parameter_bytes == 4 * estimate.parameters);
  CHECK(estimate.speed.tokens_per_second > 0.0);
  CHECK(estimate.speed.tokens_per_update <= 200.0);
  CHECK(estimate.tokens_per_epoch > 300.0);
  const auto entries = fs::directory_iterator((small / "run").parent_path());
  CHECK(std::distance(begin(entries), end(entries)) == 5);  // four texts, one config
}

TEST_CASE("training: the first start trains a tokenizer, the next takes it") {
  SmallRun small;
  small.train({});
  const auto count = [&] {
    std::size_t times = 0;
    const std::string said = small.said();
    for (std::size_t at = said.find("training the tokenizer"); at != said.npos;
         at = said.find("training the tokenizer", at + 1)) {
      ++times;
    }
    return times;
  };
  CHECK(count() == 1);
  const auto written = fs::last_write_time(small / "run" / "cache" / "train.tokens");
  small.train({.open = RunFolder::Open::kForce});
  CHECK(count() == 1);
  CHECK(fs::last_write_time(small / "run" / "cache" / "train.tokens") == written);
  small.train({.set = {"data.tokenizer.min_count=3"}, .open = RunFolder::Open::kForce});
  CHECK(count() == 2);
}
