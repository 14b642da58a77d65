// Runs of released versions (tests/kept_runs): this version translates with them, resumes, averages
// and inspects them. Each test works on a copy in a temporary folder.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/places.h"
#include "tests/support/program.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

/// What a copy makes of the symbolic links "best" and "last".
enum class Links {
  kKept,      // as cp -r
  kFollowed,  // copies of the checkpoints, as cp -rL
  kText,      // files with the names, as git without core.symlinks
  kLost
};

constexpr Links kAllLinks[] = {Links::kKept, Links::kFollowed, Links::kText, Links::kLost};

/// A copy of the run of version 0.1.0, with its text and what it is expected to answer.
class KeptRun {
 public:
  explicit KeptRun(Links links = Links::kKept) {
    const auto how =
        links == Links::kFollowed ? fs::copy_options::none : fs::copy_options::copy_symlinks;
    fs::copy(fs::path(source_folder()) / "tests" / "kept_runs" / "0.1.0", folder_.path(),
             fs::copy_options::recursive | how);
    if (links == Links::kKept || links == Links::kFollowed) return;
    for (const char* name : {"best", "last"}) {
      const fs::path link = folder_ / "run" / "checkpoints" / name;
      const std::string target = fs::read_symlink(link).string();
      fs::remove(link);
      if (links == Links::kText) write_bytes(link, target);
    }
  }

  fs::path operator/(const char* name) const { return folder_ / name; }
  std::string at(const char* name) const { return (folder_ / name).string(); }
  std::string bytes(const char* name) const { return read_bytes(folder_ / name); }

  /// Checks that `model` answers all lines of input.en as the run did when it was made.
  void check_translations(const std::string& model) const {
    CAPTURE(model);
    const std::string command = "translate " + model + " --input " + at("expected/input.en");
    CHECK(heddle_run(command).out == bytes("expected/greedy.fr"));
    CHECK(heddle_run(command + " --beam 4").out == bytes("expected/beam_4.fr"));
  }

 private:
  TemporaryFolder folder_;
};

std::string resume(const KeptRun& kept) {
  return "train " + kept.at("run.json") + " --run " + kept.at("run") + " --resume --threads 2";
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

}  // namespace

TEST_CASE("kept run: translates to the stored text, greedily and by beam search") {
  for (const Links links : kAllLinks) {
    CAPTURE(static_cast<int>(links));
    const KeptRun kept(links);
    kept.check_translations(kept.at("run"));
  }
}

TEST_CASE("kept run: each checkpoint by itself translates to the stored text") {
  const KeptRun kept;
  const TemporaryFolder alone;
  for (const char* name : {"step-000800", "step-001000", "resume-001055"}) {
    fs::copy(kept / "run" / "checkpoints" / name, alone / name);
    kept.check_translations((alone / name).string());
  }
}

TEST_CASE("kept run: scores and metrics are the stored ones") {
  const KeptRun kept;
  const Outcome outcome =
      heddle_run("score " + kept.at("run") + " --source " + kept.at("expected/input.en") +
                 " --target " + kept.at("expected/greedy.fr"));
  CHECK(outcome.code == 0);
  std::istringstream scores(outcome.out), expected(kept.bytes("expected/scores.tsv"));
  int lines = 0;
  for (std::string score, tokens, stored, stored_tokens;
       expected >> stored >> stored_tokens && scores >> score >> tokens; ++lines) {
    CAPTURE(lines);
    CHECK(tokens == stored_tokens);
    CHECK((score == stored || std::abs(std::stod(score) - std::stod(stored)) < 0.001));
  }
  CHECK(lines == 8);
  CHECK(std::ranges::count(outcome.out, '\n') == 8);

  const Outcome evaluated =
      heddle_run("evaluate " + kept.at("run") + " --json --source " + kept.at("text/valid.en") +
                 " --reference " + kept.at("text/valid.fr"));
  REQUIRE(evaluated.code == 0);
  const auto json = nlohmann::json::parse(evaluated.out);
  CHECK(json.at("exact_match") == 100.0);
  CHECK(json.at("target_tokens") == 408);
  CHECK(json.at("loss").get<double>() == doctest::Approx(0.21381).epsilon(0.001));
}

TEST_CASE("kept run: resumes to its last step, adds a checkpoint and appends to the metrics") {
  for (const Links links : kAllLinks) {
    CAPTURE(static_cast<int>(links));
    const KeptRun kept(links);
    const std::string before = kept.bytes("run/metrics.jsonl");
    const Outcome outcome = heddle_run(resume(kept));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.err, "update 1100/1100  training loss, smoothed "));
    CHECK(names_in(kept / "run/checkpoints") ==
          std::set<std::string>{"best", "last", "step-000800", "step-001000", "step-001100"});
    CHECK(fs::read_symlink(kept / "run/checkpoints/last") == "step-001100");
    const std::string after = kept.bytes("run/metrics.jsonl");
    CHECK(after.starts_with(before));
    CHECK(contains(after.substr(before.size()), "{\"update\":1100,\"kind\":\"train\",\"loss\":1."));
    CHECK(contains(after.substr(before.size()), "{\"update\":1100,\"kind\":\"validation\","));
    kept.check_translations(kept.at("run/checkpoints/last"));
    kept.check_translations(kept.at("run/averaged"));
    CHECK(heddle_run(resume(kept)).code == 0);  // at its end: nothing to do
    CHECK(kept.bytes("run/metrics.jsonl") == after);
  }
}

TEST_CASE("kept run: the mean of its last checkpoints translates to the stored text") {
  for (const Links links : kAllLinks) {
    CAPTURE(static_cast<int>(links));
    const KeptRun kept(links);
    const Outcome outcome =
        heddle_run("average " + kept.at("run") + " --last 2 --output " + kept.at("mean"));
    CHECK(outcome.code == 0);
    CHECK(outcome.out == kept.at("run/checkpoints/step-000800") + "\n" +
                             kept.at("run/checkpoints/step-001000") + "\n");
    kept.check_translations(kept.at("mean"));
  }
}

TEST_CASE("kept run: inspect shows its parameters and how far it is") {
  const auto check_shown = [](const std::string& model, const std::string& update) {
    const Outcome outcome = heddle_run("inspect " + model);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "trained     " + update + " updates, "));
    CHECK(contains(outcome.out, "best at update 800: chrf 100.0000\n"));
    CHECK(contains(outcome.out, "parameters  8192 values of float32 in 47 tensors\n"));
    CHECK(contains(outcome.out, "vocabulary  160 ids, joint\n"));
  };
  for (const Links links : kAllLinks) {
    CAPTURE(static_cast<int>(links));
    const KeptRun kept(links);
    check_shown(kept.at("run"), "800");
  }
  const KeptRun kept;
  check_shown(kept.at("run/checkpoints/last"), "1055");
}

TEST_CASE("kept run: where only the copies of its links are left, they are its checkpoints") {
  const KeptRun kept(Links::kFollowed);
  for (const char* name : {"step-000800", "step-001000", "resume-001055"}) {
    fs::remove_all(kept / "run" / "checkpoints" / name);
  }
  kept.check_translations(kept.at("run"));
  const Outcome outcome = heddle_run(resume(kept));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome.err,
                 "checkpoints/last is a folder in the place of a link; it is now "
                 "resume-001055\n"));
  CHECK(names_in(kept / "run/checkpoints") ==
        std::set<std::string>{"best", "last", "step-000800", "step-001100"});
  CHECK(fs::read_symlink(kept / "run/checkpoints/best") == "step-000800");
}

TEST_CASE("kept run: a new run begins with its weights and its tokenizer") {
  const KeptRun kept(Links::kLost);
  const Outcome outcome = heddle_run(
      "train " + kept.at("run.json") + " --run " + kept.at("new") +
      " --set train.steps=1 --set train.report_every=1 --set train.init_from=" + kept.at("run"));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::string metrics = kept.bytes("new/metrics.jsonl");
  const auto first = nlohmann::json::parse(metrics.substr(0, metrics.find('\n')));
  CHECK(first.at("loss") < 2.0);  // fresh weights have more than 5
  CHECK(kept.bytes("new/checkpoints/last/tokenizer") ==
        kept.bytes("run/checkpoints/step-000800/tokenizer"));
}
