// Nothing is lost: damaged checkpoints, saving between the scheduled ones, writing that fails.
#include <doctest/doctest.h>

#include <optional>

#include "decode/trained_model.h"
#include "tests/support/full_disk.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "train/checkpoint.h"
#include "train/run_history.h"
#include "train/version.h"

using namespace heddle;
using heddle::testing::after;
using heddle::testing::checkpoint_names;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::FullDisk;
using heddle::testing::heddle_run;
using heddle::testing::read_bytes;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;

namespace {

constexpr auto kContinue = RunFolder::Open::kContinue;
using Strings = std::vector<std::string>;

/// state.json tells the checksums of all other files: it is the same only where they are.
std::string state_of(const SmallRun& small, const std::string& checkpoint) {
  return small.bytes(checkpoint + "/state.json");
}

void flip_a_bit(const fs::path& file) {
  std::string bytes = read_bytes(file);
  REQUIRE(!bytes.empty());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_bytes(file, bytes);
}

}  // namespace

TEST_CASE("resume: a damaged checkpoint is named, and the one before it taken") {
  SmallRun small;
  small.train({.run = "whole"});
  const std::string expected = state_of(small, "whole/checkpoints/last");
  for (const char* file :
       {"model.safetensors", "optimizer.safetensors", "config.json", "tokenizer", "state.json"}) {
    CAPTURE(file);
    small.train({.open = RunFolder::Open::kForce});
    const fs::path damaged = small / "run" / "checkpoints" / "step-000012" / file;
    flip_a_bit(damaged);
    const std::string shown = small.said();
    small.train({.open = kContinue});
    const std::string said = small.said().substr(shown.size());
    CHECK(contains(said, damaged.string() + ": is damaged"));
    CHECK(contains(said, "; goes on behind update 8\n"));
    CHECK(state_of(small, "run/checkpoints/last") == expected);
    CHECK(checkpoint_names(small, "run") == checkpoint_names(small, "whole"));
  }
  // Translating says it, too, unless only training needs the file.
  const fs::path last = small / "run" / "checkpoints" / "step-000012";
  fs::remove(last / "optimizer.safetensors");
  CHECK_NOTHROW(TrainedModel(small / "run"));
  flip_a_bit(last / "model.safetensors");
  CHECK(contains(failure([&] { const TrainedModel model(small / "run"); }), "is damaged"));
  // None is whole.
  for (const char* name : {"step-000006", "step-000008"}) {
    fs::remove(small / "run" / "checkpoints" / name / "model.safetensors");
  }
  CHECK(failure([&] { small.train({.open = kContinue}); }) ==
        (small / "run").string() +
            ": no checkpoint of the run can be taken; begin again with --force");
  fs::remove(small / "run" / "config.json");
  CHECK(contains(failure([&] { small.train({.open = kContinue}); }), "but no config.json"));
}

TEST_CASE("resume: what a user saves in between changes nothing of the run") {
  const Strings set = {"train.steps=20", "train.keep_last=2", "train.average_last=2",
                       "train.report_every=3"};
  SmallRun small;
  small.train({.run = "whole", .set = set});
  int asked = 0;
  small.train({.set = set, .stop = after(15), .save = [&] { return ++asked % 3 == 0; }});
  CHECK(contains(small.said(), "\nsaved at update 2\n"));
  CHECK(checkpoint_names(small, "run") ==
        std::set<std::string>{"best", "last", "resume-000013", "step-000008", "step-000012"});
  CHECK(fs::read_symlink(small / "run" / "checkpoints" / "last") == "resume-000013");
  CHECK(heddle_run("average " + (small / "run").string() + " --last 2 --output " +
                   (small / "mean").string())
            .code == 0);
  small.train(
      {.set = set, .open = kContinue, .threads = 1, .save = [&] { return ++asked % 3 == 0; }});
  CHECK(checkpoint_names(small, "run") == checkpoint_names(small, "whole"));
  for (const char* checkpoint : {"step-000020", "step-000018"}) {
    const std::string path = std::string("/checkpoints/") + checkpoint;
    CHECK(state_of(small, "run" + path) == state_of(small, "whole" + path));
  }
  CHECK(small.bytes("run/averaged/model.safetensors") ==
        small.bytes("whole/averaged/model.safetensors"));
  const RunHistory history = read_history(small / "run"), whole = read_history(small / "whole");
  for (const char* name : {"loss", "gradient_norm", "target_tokens"}) {
    const Curve &a = history.train.at(name), &b = whole.train.at(name);
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].value == b[i].value);  // bit by bit
  }
}

TEST_CASE("resume: a run that ends where it was stopped leaves a checkpoint of its own") {
  SmallRun small;
  small.train({.run = "whole", .set = {"train.steps=10"}});
  small.train({.set = {"train.steps=20"}, .stop = after(12)});
  CHECK(fs::read_symlink(small / "run" / "checkpoints" / "last") == "resume-000010");
  small.train({.set = {"train.steps=10"}, .open = kContinue});
  CHECK(fs::read_symlink(small / "run" / "checkpoints" / "last") == "step-000010");
  CHECK(small.bytes("run/checkpoints/last/model.safetensors") ==
        small.bytes("whole/checkpoints/last/model.safetensors"));
}

TEST_CASE("resume: says where another build or another processor wrote the checkpoint") {
  SmallRun small;
  small.train({.set = {"train.steps=4"}});
  const fs::path last = small / "run" / "checkpoints" / "step-000004";
  RunState state = read_state(last / "state.json");
  CHECK(state.build == version_text());
  CHECK(contains(state.build, ", build "));
  small.train({.set = {"train.steps=6"}, .open = kContinue});
  CHECK_FALSE(contains(small.said(), "bits may differ"));
  state = read_state(small / "run" / "checkpoints" / "step-000006" / "state.json");
  state.build = "heddle 0.0.1\nGCC 4, OpenBLAS Prescott";
  const fs::path file = small / "run" / "checkpoints" / "step-000006" / "state.json";
  fs::remove(file);
  write_sealed(file.parent_path(), state_text(state));
  small.train({.open = kContinue});
  CHECK(contains(small.said(), "bits may differ"));
  CHECK(contains(small.said(), "OpenBLAS Prescott"));
}

TEST_CASE("resume: a run whose folder is moved away waits until it is back") {
  SmallRun small;
  small.train({.run = "whole"});
  const fs::path run = small / "run", away = small / "away";
  int asked = 0;
  bool back = false;
  const auto stop = [&] {
    ++asked;
    if (asked == 6) fs::rename(run, away);  // update 4 is to be saved
    if (asked > 6 && !back && contains(small.said(), "tries again")) {
      fs::rename(away, run);
      back = true;
    }
    return false;
  };
  CHECK(small.train({.stop = stop}) == Trainer::End::kFinished);
  CHECK(back);
  CHECK(contains(small.said(), run.string() +
                                   ": was moved away while the run went on; the run waits and "
                                   "tries again for 10 min 00 s\n"));
  CHECK(state_of(small, "run/checkpoints/last") == state_of(small, "whole/checkpoints/last"));
}

TEST_CASE("resume: writing that can never succeed ends the run at once") {
  SmallRun small;
  const fs::path checkpoints = small / "run" / "checkpoints", away = small / "away";
  int asked = 0;
  const auto stop = [&] {
    if (++asked == 6) {  // update 4 is to be saved
      fs::rename(checkpoints, away);
      write_bytes(checkpoints, "a file");
    }
    return false;
  };
  CHECK(contains(failure([&] { small.train({.stop = stop}); }), "Not a directory"));
  CHECK_FALSE(contains(small.said(), "tries again"));
}

TEST_CASE("resume: the mean of checkpoints is replaced whole, when it can be written") {
  const Strings set = {"train.average_last=2"};
  SmallRun small;
  small.train({.set = set});
  const std::string weights = "run/averaged/model.safetensors", mean = small.bytes(weights);
  // The run has ended: all that starting it again writes is its config and the mean.
  std::optional<FullDisk> disk(std::in_place, mean.size() / 2);
  const auto stop = [&] {
    if (disk && contains(small.said(), "tries again")) {
      CHECK(small.bytes(weights) == mean);
      fs::remove(small / weights.c_str());
      disk.reset();
    }
    return false;
  };
  CHECK(small.train({.set = set, .open = kContinue, .stop = stop}) == Trainer::End::kFinished);
  CHECK_FALSE(disk);
  CHECK(contains(small.said(), "File too large; the run waits and tries again for 10 min 00 s\n"));
  CHECK(small.bytes(weights) == mean);
}

TEST_CASE("resume: a folder that is removed meanwhile ends the run") {
  SmallRun small;
  int asked = 0;
  const auto stop = [&] {
    if (++asked == 8) {
      fs::remove_all(small / "run");
      fs::create_directories(small / "run" / "checkpoints");
    }
    return false;
  };
  CHECK(failure([&] { small.train({.set = {"train.save_timeout=0"}, .stop = stop}); }) ==
        (small / "run").string() + ": was removed or replaced while the run went on");
  CHECK(fs::is_empty(small / "run" / "checkpoints"));
}

TEST_CASE("resume: the number of lanes that a run took by itself is its own, wherever it goes on") {
  const Strings three = {"train.lanes=3"}, automatic = {"train.lanes=auto"};
  SmallRun small;
  small.train({.run = "whole", .set = three});
  small.train({.set = three, .stop = after(7)});
  small.train({.set = automatic, .open = kContinue});
  CHECK(contains(small.said(), " 3 lanes, 2 threads; goes on behind update "));
  CHECK(state_of(small, "run/checkpoints/last") == state_of(small, "whole/checkpoints/last"));
}

TEST_CASE("resume: what validations decode with may not change, what only translates may") {
  SmallRun small;
  small.train({.set = {"train.steps=6"}});
  const auto goes_on = [&](const char* set) {
    small.train({.set = {"train.steps=7", set}, .open = kContinue});
  };
  CHECK(contains(failure<ConfigError>([&] { goes_on("decode.max_length.extra=9"); }),
                 "cannot continue the run: decode.max_length.extra was 50 and is 9; "));
  CHECK(contains(failure<ConfigError>([&] { goes_on("decode.length_penalty=0.5"); }),
                 "decode.length_penalty was 1.0 and is 0.5"));
  CHECK_NOTHROW(goes_on("decode.beam=4"));
}
