#include "train/run_history.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/temporary_folder.h"
#include "train/metrics.h"

using namespace heddle;
using heddle::testing::failure;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;

namespace {

/// A folder with these lines and, where it is named, what the best validation is chosen by.
fs::path run_with(const TemporaryFolder& folder, const std::string& lines,
                  const std::string& best_by = "") {
  const fs::path run = folder / "run";
  fs::create_directories(run);
  write_bytes(run / "metrics.jsonl", lines);
  if (!best_by.empty()) {
    write_bytes(run / "config.json", "{\"train\": {\"best_by\": \"" + best_by + "\"}}");
  }
  return run;
}

std::string validation(int update, const std::string& values) {
  return "{\"update\":" + std::to_string(update) + ",\"kind\":\"validation\"," + values + "}\n";
}

std::string train(int update, const std::string& loss) {
  return "{\"update\":" + std::to_string(update) + ",\"kind\":\"train\",\"loss\":" + loss + "}\n";
}

std::string points(const Curve& curve) {
  std::string text;
  for (const CurvePoint& p : curve) {
    text += std::to_string(p.update) + ":";
    text += std::isnan(p.value) ? "gap " : std::to_string(std::lround(p.value)) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("run history: a curve for each number that a run writes") {
  const TemporaryFolder folder;
  const fs::path run = folder / "toy";
  fs::create_directories(run);
  {
    MetricsFile file(run / "metrics.jsonl", 0);
    file.append(50, {{"kind", "train"}, {"loss", 4.0}, {"epoch", std::int64_t{0}}});
    file.append(50, {{"kind", "validation"}, {"loss", 5.0}, {"bleu", 10.0}});
    file.append(100, {{"kind", "train"}, {"loss", std::numeric_limits<double>::infinity()}});
    file.append(150, {{"kind", "train"}, {"loss", 2.0}});
    file.append(150, {{"kind", "a later version's"}, {"loss", 2.0}});
  }
  const RunHistory history = read_history(run / "");
  CHECK(history.name == "toy");
  CHECK(history.train.size() == 2);
  CHECK(points(history.train.at("loss")) == "50:4 100:gap 150:2 ");
  CHECK(points(history.train.at("epoch")) == "50:0 ");
  CHECK(history.validation.size() == 2);
  CHECK(points(history.validation.at("bleu")) == "50:10 ");
  CHECK(history.last_update() == 150);
  CHECK(history.best_by == "loss");
  CHECK(history.best == 50);
}

TEST_CASE("run history: the best validation is the trainer's") {
  const TemporaryFolder folder;
  const std::string lines = validation(10, "\"loss\":3,\"bleu\":20,\"wer\":50") +
                            validation(20, "\"loss\":2,\"bleu\":30,\"wer\":60") +
                            validation(30, "\"loss\":1,\"bleu\":null,\"wer\":40") +
                            validation(40, "\"loss\":4,\"bleu\":30,\"wer\":40");
  CHECK(read_history(run_with(folder, lines)).best == 30);
  CHECK(read_history(run_with(folder, lines, "loss")).best == 30);
  CHECK(read_history(run_with(folder, lines, "bleu")).best == 20);  // of equals with less loss
  CHECK(read_history(run_with(folder, lines, "wer")).best == 30);
  const std::string equal = validation(50, "\"loss\":1.5,\"bleu\":30");
  CHECK(read_history(run_with(folder, lines + equal, "bleu")).best == 50);
  CHECK_FALSE(read_history(run_with(folder, lines, "chrf")).best);
  CHECK_FALSE(read_history(run_with(folder, train(10, "1"), "loss")).best);
}

TEST_CASE("run history: a line that is being written is left out") {
  const TemporaryFolder folder;
  const std::string lines = train(10, "4") + train(20, "3");
  CHECK(points(read_history(run_with(folder, lines + "{\"update\":30,\"kin")).train.at("loss")) ==
        "10:4 20:3 ");
  const std::string third = train(30, "2");
  const std::string unended = third.substr(0, third.size() - 1);
  CHECK(points(read_history(run_with(folder, lines + unended)).train.at("loss")) ==
        "10:4 20:3 30:2 ");
}

TEST_CASE("run history: where updates go back, the later lines count") {
  const TemporaryFolder folder;
  const std::string lines = train(10, "9") + train(20, "8") + train(30, "7") + train(20, "5") +
                            train(30, "4") + train(40, "3");
  CHECK(points(read_history(run_with(folder, lines)).train.at("loss")) == "10:9 20:5 30:4 40:3 ");
}

TEST_CASE("run history: what is no run, empty or damaged is one sentence") {
  const TemporaryFolder folder;
  const std::string nowhere = (folder / "nowhere").string();
  CHECK(failure([&] { read_history(nowhere); }) ==
        nowhere + ": is no folder of a run: it has no metrics.jsonl");
  const auto said = [&](const std::string& lines) {
    return failure([&] { read_history(run_with(folder, lines)); });
  };
  const std::string file = (folder / "run").string() + "/metrics.jsonl";
  const std::string empty =
      file + ": holds no measurements yet; the first one comes after train.report_every updates";
  CHECK(said("") == empty);
  CHECK(said("{\"update\":30,\"kin") == empty);
  CHECK(said(train(10, "null")) == empty);
  const std::string damaged = ": is no line of a run's metrics";
  CHECK(said(train(10, "1") + "no json\n" + train(20, "1")) == file + ":2" + damaged);
  CHECK(said("{\"update\":10}\n") == file + ":1" + damaged);
  CHECK(said("{\"update\":\"x\",\"kind\":\"train\"}\n") == file + ":1" + damaged);
  CHECK(said("{\"update\":-1,\"kind\":\"train\"}\n") == file + ":1" + damaged);
  CHECK(said("[]\n") == file + ":1" + damaged);
}

TEST_CASE("run history: runs with one name are named as they are given") {
  const TemporaryFolder folder;
  for (const char* name : {"a/run", "b/run", "c"}) {
    fs::create_directories(folder / name);
    write_bytes(folder / name / "metrics.jsonl", train(10, "1"));
  }
  const std::vector<RunHistory> runs =
      read_histories({folder / "a/run", folder / "b/run", folder / "c"});
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].name == (folder / "a/run").string());
  CHECK(runs[1].name == (folder / "b/run").string());
  CHECK(runs[2].name == "c");
}
