// Runs that were copied, and file systems without links: what is last and best is known without
// links, and a copy goes on to the same bytes.
#include <doctest/doctest.h>

#include <cstdlib>

#include "decode/run_checkpoints.h"
#include "decode/trained_model.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "tests/support/sanitized.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr auto kContinue = RunFolder::Open::kContinue;
const std::vector<std::string> kShort = {"train.steps=12"}, kLong = {"train.steps=20"};

/// Makes of the links of a run what copies make of them.
void follow(const fs::path& link) {
  const fs::path target = fs::canonical(link);
  fs::remove(link);
  fs::copy(target, link, fs::copy_options::recursive);
}
void write_as_text(const fs::path& link) {
  const std::string target = fs::read_symlink(link).string();
  fs::remove(link);
  write_bytes(link, target);
}
void lose(const fs::path& link) {
  fs::remove(link);
}
void leave_dangling(const fs::path& link) {
  fs::remove(link);
  fs::create_symlink("step-999999", link);
}

constexpr void (*kDamage[])(const fs::path&) = {follow, write_as_text, lose, leave_dangling};

std::string name_of(const std::optional<fs::path>& folder) {
  return folder ? folder->filename().string() : "none";
}

}  // namespace

TEST_CASE("copied run: the last and the best checkpoint are known without links") {
  SmallRun small;
  small.train({.set = {"train.steps=20", "train.checkpoint_every=20", "train.validate_every=5",
                       "train.best_by=wer"},
               .stop = after(19)});
  const fs::path run = small / "run", checkpoints = run / "checkpoints";
  const std::string best = name_of(find_best(run)), last = name_of(find_last(run));
  CHECK(last == "resume-000017");
  CHECK(best.starts_with("step-0000"));
  CHECK(fs::read_symlink(checkpoints / "best") == best);
  const fs::path text = small / "valid.src";
  const std::string said =
      heddle_run("translate " + run.string() + " --input " + text.string()).out;
  for (const auto& damage : kDamage) {
    fs::remove_all(small / "copy");
    fs::copy(run, small / "copy", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    const fs::path copy = small / "copy";
    for (const char* link : {"best", "last"}) damage(copy / "checkpoints" / link);
    CHECK(name_of(find_best(copy)) == best);
    CHECK(name_of(find_last(copy)) == last);
    CHECK(find_checkpoint(copy).filename() == best);
    CHECK(heddle_run("translate " + copy.string() + " --input " + text.string()).out == said);
    CHECK(contains(heddle_run("inspect " + copy.string()).out, "copy/checkpoints/" + best + "\n"));
    const Outcome average =
        heddle_run("average " + copy.string() + " --best 1 --output " + (copy / "mean").string());
    CHECK(average.out == (copy / "checkpoints" / best).string() + "\n");
  }
}

TEST_CASE("copied run: goes on to the same bytes, and makes its links anew") {
  SmallRun small;
  small.train({.run = "whole", .set = kLong});
  for (const auto& damage : kDamage) {
    for (const int asked : {15, 1000}) {  // stopped in between, and at its end
      small.train({.set = kLong, .open = RunFolder::Open::kForce, .stop = after(asked)});
      for (const char* link : {"best", "last"}) damage(small / "run" / "checkpoints" / link);
      CHECK(small.train({.set = kLong, .open = kContinue}) == Trainer::End::kFinished);
      CHECK(checkpoint_names(small, "run") == checkpoint_names(small, "whole"));
      for (const char* link : {"best", "last"}) {
        CHECK(fs::read_symlink(small / "run" / "checkpoints" / link) ==
              fs::read_symlink(small / "whole" / "checkpoints" / link));
      }
      CHECK(small.bytes("run/checkpoints/last/state.json") ==
            small.bytes("whole/checkpoints/last/state.json"));
    }
  }
  CHECK_FALSE(contains(small.said(), "tries again"));
}

TEST_CASE("copied run: what no checkpoint holds is moved aside, and said") {
  SmallRun small;
  small.train({.set = kShort});
  const fs::path checkpoints = small / "run" / "checkpoints";
  follow(checkpoints / "last");
  write_bytes(checkpoints / "last" / "notes.txt", "mine");
  fs::remove(checkpoints / "best");
  write_bytes(checkpoints / "best", "mine, too, and longer than any name of a checkpoint would be");
  for (int i = 0; i < 2; ++i) small.train({.set = kShort, .open = kContinue});
  CHECK(read_bytes(checkpoints / "last.old" / "notes.txt") == "mine");
  CHECK(read_bytes(checkpoints / "best.old").starts_with("mine, too"));
  CHECK(fs::read_symlink(checkpoints / "last") == "step-000012");
  CHECK(contains(small.said(), (checkpoints / "last").string() +
                                   " was no link, and holds what no checkpoint does; it is now " +
                                   (checkpoints / "last.old").string() + "\n"));
  // A copy whose bytes differ from those of its checkpoint may be the good one.
  fs::remove(checkpoints / "last.old" / "notes.txt");
  fs::remove(checkpoints / "last");
  fs::rename(checkpoints / "last.old", checkpoints / "last");
  write_bytes(checkpoints / "last" / "tokenizer", "else");
  small.train({.set = kShort, .open = kContinue});
  CHECK(read_bytes(checkpoints / "last.old" / "tokenizer") == "else");
}

TEST_CASE("copied run: a file system without links and locks is as good as any other") {
  const TemporaryFolder folder;
  write_bytes(folder / "no_links.c",
              "#include <errno.h>\n"
              "static int refuse(int code) { errno = code; return -1; }\n"
              "int symlink(const char* a, const char* b) { return refuse(a && b ? EPERM : 0); }\n"
              "int symlinkat(const char* a, int d, const char* b) {\n"
              "  return d != -1 ? symlink(a, b) : refuse(EPERM);\n"
              "}\n"
              "int flock(int d, int how) { return refuse(d >= 0 && how ? ENOSYS : 0); }\n");
  const std::string library = (folder / "no_links.so").string();
  const std::string compile =
      "cc -shared -fPIC -o " + library + " " + (folder / "no_links.c").string() + " 2>/dev/null";
  if (kSanitized || std::system(compile.c_str()) != 0) {
    MESSAGE("skipped: it needs a C compiler, and no sanitizer");
    return;
  }
  SmallRun small;
  small.train({.run = "whole", .set = kLong});
  const auto train = [&](const std::string& more) {
    const std::string command =
        "env LD_PRELOAD=" + library + " " + program() + " train " + (small / "run.json").string() +
        " --run " + (small / "run").string() + " " + more + " 2>" + (small / "err").string();
    return std::system(command.c_str());
  };
  CHECK(train("--set train.steps=12") == 0);
  CHECK(checkpoint_names(small, "run") == Names{"step-000006", "step-000008", "step-000012"});
  CHECK(train("--resume --set train.steps=20") == 0);
  CHECK_FALSE(contains(small.bytes("err"), "tries again"));
  CHECK(contains(small.bytes("err"), "/run: this file system has no locks, so "));
  for (const std::string file : {"model.safetensors", "optimizer.safetensors"}) {
    CHECK(small.bytes("run/checkpoints/step-000020/" + file) ==
          small.bytes("whole/checkpoints/step-000020/" + file));
  }
  CHECK(name_of(find_best(small / "run")) == name_of(find_best(small / "whole")));
  CHECK(heddle_run("translate " + (small / "run").string() + " < /dev/null").code == 0);
  // Links that an earlier process left do not mislead.
  fs::create_symlink("step-000018", small / "run" / "checkpoints" / "last");
  CHECK(train("--resume --set train.steps=24") == 0);
  CHECK(name_of(find_last(small / "run")) == "step-000024");
  CHECK_FALSE(checkpoint_names(small, "run").contains("last"));
}

}  // namespace heddle::testing
