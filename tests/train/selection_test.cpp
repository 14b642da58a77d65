// Which checkpoints a run keeps, and what it validates with: metrics, intervals, moving averages.
#include "train/selection.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "decode/average.h"
#include "decode/trained_model.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "train/checkpoint.h"
#include "train/run_history.h"

using namespace heddle;
using heddle::testing::after;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::heddle_run;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;
using Validations = std::vector<RunState::Validated>;

namespace {

std::vector<std::int64_t> updates(const Validations& list) {
  std::vector<std::int64_t> result;
  for (const RunState::Validated& v : list) result.push_back(v.update);
  return result;
}

RunState saved_state(const SmallRun& small, const std::string& run = "run") {
  return read_state(small / run.c_str() / "checkpoints" / "last" / kStateFile);
}

std::string config_error(const std::vector<std::string>& set) {
  SmallRun small;
  return failure<ConfigError>([&] { small.train({.set = set}); });
}

}  // namespace

TEST_CASE("selection: the best validations, of equals the earlier ones") {
  Validations best;
  CHECK(take_validation(best, {1, 5.0}, 3, std::nullopt) == 0U);
  CHECK(take_validation(best, {2, 4.0}, 3, std::nullopt) == 0U);
  CHECK(take_validation(best, {3, 5.0}, 3, std::nullopt) == 2U);
  CHECK(take_validation(best, {4, 5.0}, 3, std::nullopt) == std::nullopt);
  CHECK(take_validation(best, {5, 4.0}, 3, std::nullopt) == 1U);
  CHECK(updates(best) == std::vector<std::int64_t>{2, 5, 1});
  best.clear();
  CHECK(take_validation(best, {1, 20.0}, 1, Metric::kBleu) == 0U);
  CHECK(take_validation(best, {2, 19.0}, 1, Metric::kBleu) == std::nullopt);
  CHECK(take_validation(best, {3, 21.0}, 1, Metric::kBleu) == 0U);
  CHECK(updates(best) == std::vector<std::int64_t>{3});
  CHECK(take_validation(best, {4, 20.0}, 2, Metric::kWordErrorRate) == 0U);  // less is better
}

TEST_CASE("selection: equal values of a metric are told apart by the loss") {
  Validations best;
  CHECK(take_validation(best, {1, 0.0, 3.0}, 3, Metric::kExactMatch) == 0U);
  CHECK(take_validation(best, {2, 0.0, 2.0}, 3, Metric::kExactMatch) == 0U);
  CHECK(take_validation(best, {3, 0.0, 2.5}, 3, Metric::kExactMatch) == 1U);
  CHECK(take_validation(best, {4, 0.0, 2.0}, 3, Metric::kExactMatch) ==
        1U);  // the earlier one first
  CHECK(take_validation(best, {5, 10.0, 9.0}, 3, Metric::kExactMatch) == 0U);
  CHECK(updates(best) == std::vector<std::int64_t>{5, 2, 4});
  best = {{1, 0.0}};  // of a version that kept no losses
  CHECK(take_validation(best, {2, 0.0, 2.0}, 2, Metric::kWordErrorRate) == 1U);
  CHECK(take_validation(best, {3, 0.0, 1.0}, 2, Metric::kWordErrorRate) == 1U);
  CHECK(updates(best) == std::vector<std::int64_t>{1, 3});
}

TEST_CASE("selection: patience counts validations without progress in the metric and in the loss") {
  RunState state;
  const auto waited = [&](double value, double loss) {
    judge_validation(state, {++state.update, value, loss}, 1, Metric::kBleu);
    return state.validations_since_best;
  };
  CHECK(waited(0.0, 5.0) == 0);
  CHECK(waited(0.0, 4.0) == 0);  // equal, with less loss
  CHECK(waited(0.0, 4.0) == 1);  // equal in both
  CHECK(waited(9.0, 4.5) == 0);  // a better value
  CHECK(waited(8.0, 4.2) == 1);  // a better loss than that of the best, but no better one than ever
  CHECK(waited(8.0, 3.0) == 0);
  CHECK(waited(9.0, 3.5) == 0);  // equal to the best, with less loss
  CHECK(waited(8.0, 3.5) == 1);
  CHECK(updates(state.best) == std::vector<std::int64_t>{7});
  CHECK(state.least_loss == 3.0);
  state = {};
  for (const double loss : {3.0, 2.0, 2.0}) {
    judge_validation(state, {++state.update, loss}, 1, std::nullopt);
  }
  CHECK(state.validations_since_best == 1);
  CHECK_FALSE(state.least_loss);
}

TEST_CASE("selection: a run whose metric stays at 0 goes on while its loss falls") {
  const std::vector<std::string> set = {"train.steps=30", "train.best_by=exact",
                                        "train.patience=2"};
  SmallRun small;
  CHECK(small.train({.run = "whole", .set = set}) == Trainer::End::kFinished);
  const RunHistory history = read_history(small / "whole");
  const Curve &exact = history.validation.at("exact"), &loss = history.validation.at("loss");
  REQUIRE(exact.size() == 5);
  REQUIRE(exact[2].value == 0.0);
  REQUIRE(loss[2].value < loss[0].value);
  const RunState state = saved_state(small, "whole");
  std::size_t best = 0;
  for (std::size_t i = 1; i < exact.size(); ++i) {
    const bool equal = exact[i].value == exact[best].value;
    if (exact[i].value > exact[best].value || (equal && loss[i].value < loss[best].value)) best = i;
  }
  CHECK(best > 0);
  CHECK(state.best.front().update == exact[best].update);
  CHECK(history.best == exact[best].update);
  small.train({.set = set, .stop = after(20)});
  small.train({.set = set, .open = RunFolder::Open::kContinue});
  CHECK(small.bytes("run/checkpoints/last/state.json") ==
        small.bytes("whole/checkpoints/last/state.json"));
}

TEST_CASE("selection: a run keeps its last and its best checkpoints and averages those") {
  SmallRun small;
  small.train({.set = {"train.steps=60", "train.validate_every=6", "train.checkpoint_every=60",
                       "train.keep_last=1", "train.keep_best=3", "train.average_best=3",
                       "train.best_by=chrf", "train.metrics=[\"exact\", \"wer\"]"}});
  std::vector<std::pair<double, std::int64_t>> ranking;
  const RunHistory history = read_history(small / "run");
  for (const char* metric : {"exact", "wer", "chrf"}) {
    CHECK(history.validation.at(metric).size() == 10);
  }
  for (const CurvePoint& chrf : history.validation.at("chrf")) {
    ranking.emplace_back(-chrf.value, chrf.update);
  }
  std::ranges::sort(ranking);
  const RunState state = saved_state(small);
  REQUIRE(state.best.size() == 3);
  std::set<std::int64_t> kept = {60};
  std::vector<fs::path> best;
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(state.best[i].update == ranking[i].second);
    CHECK(state.best[i].value == doctest::Approx(-ranking[i].first));
    kept.insert(state.best[i].update);
    best.push_back(checkpoint_folder(small / "run", state.best[i].update));
  }
  const RunFolder folder(small / "run", RunFolder::Open::kContinue);
  CHECK(folder.pointed("best") == state.best[0].update);
  CHECK(history.best == state.best[0].update);
  const std::vector<std::int64_t> there = folder.checkpoints();
  CHECK(std::set(there.begin(), there.end()) == kept);
  CHECK(contains(small.said(), "the mean of the best 3 checkpoints: "));
  average_models(best, small / "mean");
  CHECK(small.bytes("run/averaged/model.safetensors") == small.bytes("mean/model.safetensors"));
  const std::string average = "average " + (small / "run").string() + " --output ";
  CHECK(heddle_run(average + (small / "cli").string() + " --best 3").code == 0);
  CHECK(small.bytes("cli/model.safetensors") == small.bytes("mean/model.safetensors"));
  CHECK(heddle_run(average + (small / "more").string() + " --best 4").err ==
        "heddle: " + (small / "run").string() +
            ": of its best checkpoints 3 are there, not 4; train.keep_best says how many a run "
            "keeps\n");
  CHECK(heddle_run(average + (small / "more").string() + " --best 2 --last 1").code == 2);
}

TEST_CASE("selection: intervals of epochs, also behind a restart") {
  const std::vector<std::string> set = {"train.steps=40", "train.validate_every_epochs=1",
                                        "train.checkpoint_every_epochs=2", "train.keep_last=40",
                                        "train.report_every=1"};
  SmallRun small;
  small.train({.run = "whole", .set = set});
  small.train({.set = set, .stop = after(17)});
  small.train({.set = set, .open = RunFolder::Open::kContinue});
  std::vector<std::int64_t> expected;  // updates that complete an epoch, and the end
  const RunHistory history = read_history(small / "run");
  double epoch = 0;
  for (const CurvePoint& point : history.train.at("epoch")) {
    if (point.value > epoch || point.update == 40) expected.push_back(point.update);
    epoch = point.value;
  }
  CHECK(epoch >= 3);
  std::vector<std::int64_t> validated;
  for (const CurvePoint& loss : history.validation.at("loss")) validated.push_back(loss.update);
  CHECK(validated == expected);
  for (const char* file : {"model.safetensors", "state.json"}) {
    CHECK(small.bytes(std::string("run/checkpoints/last/") + file) ==
          small.bytes(std::string("whole/checkpoints/last/") + file));
  }
}

TEST_CASE("selection: a moving average validates, translates and is resumed") {
  const std::vector<std::string> set = {"train.steps=24", "train.ema_decay=0.9",
                                        "train.best_by=chrf", "train.keep_last=9",
                                        "train.keep_best=2"};
  SmallRun small;
  small.train({.run = "whole", .set = set});
  small.train({.set = set, .stop = after(9)});
  small.train({.set = set, .open = RunFolder::Open::kContinue, .threads = 1});
  const std::string last = "/checkpoints/step-000024/";
  const auto check_same = [&] {
    for (const char* file :
         {"ema.safetensors", "model.safetensors", "optimizer.safetensors", "state.json"}) {
      CHECK(small.bytes("run" + last + file) == small.bytes("whole" + last + file));
    }
  };
  check_same();
  // As after a crash: behind an older checkpoint.
  RunFolder(small / "run", RunFolder::Open::kContinue).point("last", 12);
  small.train({.set = set, .open = RunFolder::Open::kContinue});
  check_same();
  // Training itself is as without it.
  std::vector<std::string> plain = set;
  plain[1] = "seed=1";
  small.train({.run = "plain", .set = plain});
  CHECK(small.bytes("plain" + last + "model.safetensors") ==
        small.bytes("run" + last + "model.safetensors"));
  CHECK_FALSE(fs::exists(small / ("plain" + last + "ema.safetensors").c_str()));
  // A model is its average; what validation saw is what it says.
  const TrainedModel model(small / ("run" + last).c_str());
  const TrainedModel raw(small / ("plain" + last).c_str());
  CHECK(model.store().elements() == raw.store().elements());
  const auto first = [](const TrainedModel& m) { return *static_cast<float*>(m.store().slab()); };
  CHECK(first(model) != first(raw));
  const std::string evaluated =
      heddle_run("evaluate " + (small / ("run" + last).c_str()).string() + " --json --metric chrf" +
                 " --source " + (small / "valid.src").string() + " --reference " +
                 (small / "valid.tgt").string())
          .out;
  CHECK(nlohmann::json::parse(evaluated).at("loss").get<double>() ==
        doctest::Approx(read_history(small / "run").validation.at("loss").back().value)
            .epsilon(1e-5));
  CHECK(contains(heddle_run("inspect " + (small / "run").string()).out,
                 "weights     their moving average (ema.safetensors); training goes on from "
                 "model.safetensors\n"));
  CHECK_FALSE(contains(heddle_run("inspect " + (small / "plain").string()).out, "weights "));
  CHECK(contains(config_error({"train.ema_decay=1"}), "train.ema_decay: 1 "));
  CHECK(contains(config_error({"train.metrics=[\"blue\"]"}),
                 "train.metrics: \"blue\" is none of exact, bleu, chrf, chrf++, wer, per; did you "
                 "mean \"bleu\"?"));
  CHECK(contains(config_error({"data.valid={}", "train.average_best=2", "train.keep_best=2"}),
                 "average_best: needs a validation text"));
  CHECK(contains(config_error({"train.average_best=2"}), "2 checkpoints, but keep_best keeps 1"));
}

TEST_CASE("selection: the metrics of a validation are what evaluate says of its checkpoint") {
  SmallRun small(1000);
  for (const char* file : {"train.tgt", "valid.tgt"}) {
    std::string text = small.bytes(file);
    for (std::size_t at = 0; (at = text.find("deux", at)) != text.npos; at += 5)
      text.insert(at + 4, ".");
    write_bytes(small / file, text);  // which is two tokens to 13a
  }
  small.train({.set = {"train.steps=120", "train.batch_tokens=400", "train.validate_every=120",
                       "train.best_by=bleu", "train.metrics=[\"chrf\", \"per\"]",
                       "train.bleu_tokens=none", "train.validation_beam=3"}});
  const RunHistory history = read_history(small / "run");
  const auto evaluated = [&](const std::string& search) {
    return nlohmann::json::parse(
        heddle_run("evaluate " + (small / "run").string() + "/checkpoints/last" + search +
                   " --json --metric bleu --metric chrf --metric per --source " +
                   (small / "valid.src").string() + " --reference " +
                   (small / "valid.tgt").string())
            .out);
  };
  const auto value = [&](const char* metric) { return history.validation.at(metric).back().value; };
  const nlohmann::json same = evaluated(" --beam 3 --tokenize none");
  CHECK(value("bleu") > 0.0);
  CHECK(same.at("bleu").get<double>() == doctest::Approx(value("bleu")).epsilon(1e-9));
  CHECK(same.at("chrf2").get<double>() == doctest::Approx(value("chrf")).epsilon(1e-9));
  CHECK(same.at("token_error_rate").get<double>() == doctest::Approx(value("per")).epsilon(1e-9));
  CHECK(evaluated(" --beam 3").at("bleu") != same.at("bleu"));
  CHECK(evaluated(" --tokenize none").at("chrf2") != same.at("chrf2"));
}
