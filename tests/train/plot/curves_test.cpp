#include "train/plot/curves.h"

#include <doctest/doctest.h>

#include <limits>

using namespace heddle;

namespace {

RunHistory history(const std::string& name) {
  RunHistory run;
  run.name = name;
  run.train["loss"] = {{10, 5.0}, {20, 4.0}};
  run.train["seconds"] = {{10, 1.0}};
  run.train["learning_rate"] = {{10, 0.1}};
  run.train["gradient_norm"] = {{10, 0.5}};
  run.train["tokens_per_second"] = {{10, 12000.0}};
  run.validation["loss"] = {{10, 4.5}, {20, 4.25}};
  run.validation["perplexity"] = {{10, 100.0}};
  run.validation["bleu"] = {{10, 31.5}, {20, 30.0}};
  run.best_by = "bleu";
  run.best = 10;
  return run;
}

using Texts = std::vector<std::string>;

Texts titles(const std::vector<Chart>& charts) {
  Texts texts;
  for (const Chart& chart : charts) texts.push_back(chart.title);
  return texts;
}

Texts rows(const Chart& chart) {
  Texts texts;
  for (const PlotLine& line : chart.lines) {
    if (!line.label.empty()) texts.push_back(line.label);
  }
  return texts;
}

}  // namespace

TEST_CASE("plot curves: a chart for each quantity, with its last and its best value") {
  const RunHistory run = history("toy");
  const std::vector<Chart> charts = charts_of({&run, 1});
  CHECK(titles(charts) == Texts{"Loss", "BLEU", "Learning rate", "Gradient norm", "Speed"});
  CHECK(rows(charts[0]) == Texts{"training loss 4", "validation loss 4.25, at the ring 4.5"});
  CHECK(rows(charts[1]) == Texts{"last 30, best 31.5"});
  CHECK(rows(charts[2]) == Texts{"last 0.1"});
  CHECK(charts[0].lines[0].best == std::nullopt);
  CHECK(charts[0].lines[1].best == 10);
  CHECK(charts[0].lines[1].name == "toy, validation");
  CHECK(charts[0].lines[0].style.classes() != charts[0].lines[1].style.classes());
  CHECK(summary_of(run) == "20 updates; best validation at update 10: BLEU 31.5");
}

TEST_CASE("plot curves: several runs have a colour each and a row in each chart") {
  RunHistory other = history("a run whose name is far too long");
  other.validation = {{"per", {{10, 7.5}}}, {"<new>", {{10, 1.0}}}};
  other.best_by = "per";
  const std::vector<RunHistory> runs = {history("toy"), other};
  const std::vector<Chart> charts = charts_of(runs);
  CHECK(titles(charts) == Texts{"Loss", "<new>", "BLEU", "Token error rate", "Learning rate",
                                "Gradient norm", "Speed"});
  CHECK(rows(charts[0]) == Texts{"toy: training 4, validation 4.25, at the ring 4.5",
                                 "a run whos\u2026 too long: training 4"});
  CHECK(rows(charts[2]) == Texts{"toy: 30, best 31.5"});
  CHECK(rows(charts[3]) == Texts{"a run whos\u2026 too long: 7.5, the best"});
  REQUIRE(charts[0].lines.size() == 3);
  CHECK(charts[0].lines[0].style.number == charts[0].lines[1].style.number);
  CHECK(charts[0].lines[0].style.thin);
  CHECK_FALSE(charts[0].lines[1].style.thin);
  CHECK(charts[0].lines[2].style.number == 1);
  CHECK(charts[3].lines[0].style.number == 1);
}

TEST_CASE("plot curves: the training loss is named by what it counts") {
  std::vector<RunHistory> runs = {history("toy"), history("wide")};
  runs[0].smoothed = true;
  CHECK(rows(charts_of({runs.data(), 1})[0])[0] == "training loss, smoothed 4");
  CHECK(rows(charts_of(runs)[0])[0] ==
        "toy: training, smoothed 4, validation 4.25, at the ring 4.5");
  CHECK(rows(charts_of(runs)[0])[1] == "wide: training 4, validation 4.25, at the ring 4.5");
}

TEST_CASE("plot curves: a run without validations, and one without any number of a quantity") {
  RunHistory run;
  run.train["loss"] = {{1, 5.0}};
  run.train["gradient_norm"] = {{1, std::numeric_limits<double>::quiet_NaN()}};
  const std::vector<Chart> charts = charts_of({&run, 1});
  CHECK(titles(charts) == Texts{"Loss"});
  CHECK(charts[0].lines.size() == 1);
  CHECK(summary_of(run) == "1 update");
}
