// heddle train from outside: exit codes, signals, one sentence for what is wrong.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <thread>

#include "autograd/base/atomic_file.h"
#include "tests/data/corpus_samples.h"
#include "tests/support/places.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

/// Waits until `text` is in the file, at most a minute.
bool appears(const fs::path& file, const std::string& text) {
  for (int i = 0; i < 6000; ++i) {
    if (contains(read_bytes(file), text)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// `heddle train` of the small run, in its folder.
struct Command {
  const SmallRun& small;

  std::string operator()(const std::string& more, const std::string& run = "run") const {
    return "train " + (small / "run.json").string() + " --run " + (small / run.c_str()).string() +
           " " + more;
  }
};

}  // namespace

TEST_CASE("cli train: a run from its config to its end, and what the other verbs make of it") {
  SmallRun small;
  const Command train{small};
  const std::string run = (small / "run").string();
  const Outcome first = heddle_run(train(""));
  CHECK(first.code == 0);
  CHECK(first.out == "");
  CHECK(contains(first.err, "update 12/12  training loss, smoothed "));
  CHECK_FALSE(contains(first.err, "\r"));  // no terminal, no bar
  CHECK(first.err.ends_with("done; translate with: heddle translate " + run + "\n"));
  CHECK(heddle_run(train("--resume")).code == 0);

  const Outcome inspect = heddle_run("inspect " + run);
  CHECK(inspect.code == 0);
  CHECK(inspect.err == "");
  CHECK(contains(inspect.out, "trained     12 updates, "));
  CHECK(contains(inspect.out, "\nencoder.layers.0.self_attention.query.weight "));
  CHECK(contains(inspect.out, "\"validate_every\": 6"));

  const std::string pair = " --source " + (small / "valid.src").string() + " --reference " +
                           (small / "valid.tgt").string();
  const Outcome evaluate = heddle_run("evaluate " + run + pair);
  CHECK(evaluate.code == 0);
  CHECK(contains(evaluate.out, "exact match "));
  CHECK(contains(evaluate.out, " of 40) nrefs:1|tok:none|impl:heddle-0.1.0\nBLEU "));
  CHECK(contains(evaluate.out, "\nloss "));
  const Outcome json = heddle_run("evaluate " + run + pair + " --json");
  CHECK(json.out.starts_with("{\"lines\":40,\"exact_match\":"));
  CHECK(heddle_run("evaluate " + run + pair + " --json --threads 3").out == json.out);
  for (const std::string& command : {"evaluate " + run + pair, "inspect " + run}) {
    const std::string line =
        program() + " " + command + " >/dev/full 2>" + (small / "err").string();
    const int status = std::system(line.c_str());
    CHECK(WEXITSTATUS(status) == 5);
    CHECK(contains(read_bytes(small / "err"), "heddle: cannot write"));
  }
  const Outcome own = heddle_run(
      "evaluate --metric exact --hypothesis " + (small / "valid.tgt").string() + " --reference " +
      (small / "valid.tgt").string() + " --groups " + (small / "valid.src").string());
  CHECK(
      own.out.starts_with("exact match 100.0 % (40 of 40) "
                          "nrefs:1|tok:none|impl:heddle-0.1.0\nexact match 100.0 % (1 of 1 "));
}

TEST_CASE("cli train: --resume says where there is nothing to resume") {
  SmallRun small;
  const Command train{small};
  const auto said = [&](const std::string& run) {
    const Outcome outcome = heddle_run(train("--resume --set train.steps=1", run));
    CHECK(outcome.code == 0);
    return outcome.err;
  };
  const auto nothing = [&](const std::string& run) {
    return "no checkpoint in " + (small / run.c_str()).string() + "; training starts at update 0";
  };
  CHECK(contains(said("dates"), nothing("dates") + "\n"));
  CHECK_FALSE(contains(said("dates"), "no checkpoint"));
  CHECK(contains(said("dates2"), nothing("dates2") + "\n"));  // another seed, for example
  CHECK(contains(said("dtaes/"), nothing("dtaes") + "; did you mean \"dates\"?\n"));
  CHECK(contains(said("another"), nothing("another") + "\n"));
  // A start that was killed before its first checkpoint is no slip of the pen.
  fs::create_directories(small / "daets" / "checkpoints");
  write_bytes(small / "daets" / "config.json", small.bytes("dates/config.json"));
  CHECK(contains(said("daets"), nothing("daets") + "\n"));
  CHECK_FALSE(contains(heddle_run(train("", "new")).err, "no checkpoint"));
}

TEST_CASE("cli train: tells where the time went, and writes a trace") {
  SmallRun small;
  const Outcome outcome =
      heddle_run(Command{small}("--profile --trace " + (small / "trace.json").string()));
  CHECK(outcome.code == 0);
  for (const char* part : {"\ntime of an update ", "\n  output_loss ", "\noperation, all lanes ",
                           "\n  residual_norm "}) {
    CHECK(contains(outcome.err, part));
  }
  const auto trace = nlohmann::json::parse(small.bytes("trace.json"));
  REQUIRE(trace["traceEvents"].size() > 100);
  bool backward = false;
  for (const auto& event : trace["traceEvents"]) {
    CHECK(event["ts"] >= 0.0);
    CHECK(event["dur"] >= 0.0);
    CHECK(event["tid"] < 2);
    backward = backward || event["cat"] == "backward";
  }
  CHECK(backward);
}

TEST_CASE("cli train: a dry run prints parameters, memory and speed") {
  SmallRun small;
  const Outcome outcome = heddle_run(Command{small}("--dry-run"));
  CHECK(outcome.code == 0);
  for (const char* part : {"parameters  ", "memory  ", " target tokens/s, ", "an epoch "}) {
    CHECK(contains(outcome.out, part));
  }
  CHECK_FALSE(fs::exists(small / "run"));
}

TEST_CASE("cli train: a signal saves and says how to go on") {
  SmallRun small;
  const std::string run = (small / "run").string(), config = (small / "run.json").string();
  for (const auto& [signal, code] :
       {std::pair(SIGINT, 130), std::pair(SIGTERM, 143), std::pair(SIGHUP, 129)}) {
    const fs::path err = small / "err";
    fs::remove(err);
    Process process({"train", config, "--run", run, "--force", "--set", "train.steps=100000000"},
                    err);
    REQUIRE(appears(err, "update 4/"));
    process.send(signal);
    CHECK(process.exit_code() == code);
    CHECK(read_bytes(err).ends_with("saved; resume with: heddle train " + config + " --run " + run +
                                    " --set train.steps=100000000 --resume\n"));
    CHECK(heddle_run("inspect " + run).code == 0);
  }
  CHECK(heddle_run(Command{small}("--resume --set train.steps=5")).code == 0);
}

TEST_CASE("cli train: when nobody reads its report any more, a run saves and stops") {
  SmallRun small;
  const std::string run = (small / "run").string(), code = (small / "code").string();
  const std::string command = program() + " train " + (small / "run.json").string() + " --run " +
                              run +
                              " --set train.steps=100000000 --set train.validate_every=100000000"
                              " --set train.checkpoint_every=100000000 2>&1";
  const auto before = ::signal(SIGPIPE, SIG_DFL);  // which children inherit
  const std::string reader = " | head -n 5 >" + (small / "lines").string();
  REQUIRE(std::system(("(" + command + "; echo $? >" + code + ")" + reader).c_str()) == 0);
  ::signal(SIGPIPE, before);
  CHECK(read_bytes(code) == "141\n");
  CHECK(fs::read_symlink(small / "run" / "checkpoints" / "last").string().starts_with("resume-"));
  CHECK(heddle_run(Command{small}("--resume --set train.steps=5")).code == 0);
}

TEST_CASE("cli train: SIGUSR1 saves, and the run goes on; its folder is taken meanwhile") {
  SmallRun small;
  const std::string run = (small / "run").string(), config = (small / "run.json").string();
  const std::string endless = "train.steps=100000000";
  const fs::path err = small / "err";
  Process process({"train", config, "--run", run, "--set", endless, "--set",
                   "train.checkpoint_every=100000000", "--set", "train.validate_every=100000000"},
                  err);
  REQUIRE(appears(err, "update 4/"));
  process.send(SIGUSR1);
  REQUIRE(appears(err, "\nsaved at update "));
  CHECK(heddle_run("inspect " + run).code == 0);
  const std::string said = read_bytes(err);
  const long saved = std::stol(said.substr(said.find("saved at update ") + 16));
  check_failure(Command{small}("--resume --set " + endless), 5,
                "heddle: " + run + ": another process (" + std::to_string(process.id()) +
                    ") trains in this folder; wait for its end, or give another folder with --run");
  REQUIRE(appears(err, "update " + std::to_string((saved / 4 + 1) * 4) + "/"));
  process.send(SIGTERM);
  CHECK(process.exit_code() == 143);
  // That of the user is one alone, and none of the schedule.
  std::size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(small / "run" / "checkpoints")) {
    const std::string name = entry.path().filename().string();
    folders += entry.is_symlink() ? 0 : 1;
    CHECK((name == "last" || name.starts_with("resume-")));
  }
  CHECK(folders == 1);
}

TEST_CASE("cli train: a start that was killed at once is begun again by --resume") {
  SmallRun small;
  fs::create_directories(small / "run" / "checkpoints");  // as far as it came
  write_bytes(small / "run" / "lock", "4194304");         // of a process that is no more
  CHECK(heddle_run(Command{small}("--resume")).code == 0);
  CHECK(heddle_run(Command{small}("--resume", "another")).code == 0);
  CHECK(small.bytes("another/checkpoints/last/state.json") ==
        small.bytes("run/checkpoints/last/state.json"));
}

TEST_CASE("cli train: no thread that computes is ever interrupted by a signal") {
  // A handler on such a thread writes into the heap: see cli/stop_signals.h.
  SmallRun small;
  const std::string run = (small / "run").string();
  const fs::path err = small / "err";
  Process process({"train", (small / "run.json").string(), "--run", run, "--set",
                   "train.steps=100000000", "--threads", "2"},
                  err);
  REQUIRE(appears(err, "update 4/"));
  // Lanes, the reader of batches and the one that waits block them; a BLAS may have others.
  std::size_t blocking = 0;
  const fs::path tasks = fs::path("/proc") / std::to_string(process.id()) / "task";
  for (const auto& task : fs::directory_iterator(tasks)) {
    std::istringstream status(read_bytes(task.path() / "status"));
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigBlk:")) continue;
      const std::uint64_t mask = std::stoull(line.substr(8), nullptr, 16);
      const auto blocked = [&](int signal) { return (mask >> (signal - 1) & 1U) != 0; };
      const bool all = blocked(SIGINT) && blocked(SIGTERM) && blocked(SIGHUP);
      blocking += all ? 1 : 0;
      if (task.path().filename() == std::to_string(process.id())) CHECK(all);
    }
  }
  CHECK(blocking == 4);
  process.send(SIGTERM);
  process.send(SIGTERM);  // asks for the same again
  CHECK(process.exit_code() == 143);
  CHECK(contains(read_bytes(err), "saved; resume with: "));
}

TEST_CASE("cli train: what is wrong with a run's files is one sentence, and leaves nothing") {
  SmallRun small;
  const Command train{small};
  const auto at = [&](const char* name) { return (small / name).string(); };
  const auto with = [&](const char* source, const char* target) {
    return train("--set data.train.source=" + at(source) +
                 " --set data.train.target=" + at(target));
  };
  write_bytes(small / "one", "une ligne\n");
  write_bytes(small / "two", "a\nb\n");
  write_bytes(small / "bad", "a\n\xff\n");
  write_bytes(small / "empty", "");
  write_bytes(small / "blank", "\n\n");
  write_bytes(small / "file", "");
  const std::string source = at("train.src");
  check_failure(with("nowhere", "two"), 5,
                "heddle: cannot read " + at("nowhere") + ": No such file or directory");
  check_failure(with("one", "two"), 4,
                "training the tokenizer\nheddle: " + at("one") + " ends at line 1, but " +
                    at("two") + " has 2 lines; line n of one must translate line n of the other");
  check_failure(with("bad", "two"), 4,
                "training the tokenizer\nheddle: " + at("bad") +
                    ":2: no valid UTF-8; convert the file, for example with iconv");
  write_bytes(small / "cut.gz", heddle::testing::gzipped(small.bytes("train.src")).substr(0, 200));
  const Outcome cut = heddle_run(with("cut.gz", "train.tgt"));
  CHECK(cut.code == 5);
  CHECK(contains(cut.err, "cannot read " + at("cut.gz") + ": the compressed data end too early"));
  const Outcome one = heddle_run(with("one", "one"));
  CHECK(one.code == 0);  // small, but a corpus
  fs::remove_all(small / "run");
  check_failure(with("empty", "empty"), 4,
                "training the tokenizer\nheddle: " + at("empty") + ", " + at("empty") +
                    ": the files are empty");
  check_failure(with("blank", "blank"), 4,
                "training the tokenizer\nheddle: data.tokenizer: the text holds no words that "
                "occur 1 times or more; lower min_count or give more text");
  check_failure(
      train("--set data.train.source=" + fs::temp_directory_path().string()), 5,
      "heddle: cannot read " + fs::temp_directory_path().string() + ": it is a directory");
  check_failure(train("--set data.tokenizer.type=subword --set data.tokenizer.vocab_size=5000"), 4,
                "training the tokenizer\nheddle: data.tokenizer.vocab_size: 5000 is more than this "
                "text supports; the largest possible vocab_size is 81");
  check_failure(train("", "file"), 5,
                "heddle: " + at("file") + ": is a file; give the folder of a run");
  check_failure(train("--resume", "."), 5,
                "heddle: " + at(".") + ": holds files that are no run; give another folder");
  check_failure(train("--resume --force"), 2,
                "heddle: --resume excludes --force; see heddle train --help");
  CHECK_FALSE(fs::exists(small / "run"));
  check_failure("train configs/tiny.json --run " + at("run"), 3,
                "configs/tiny.json:2:1: data.train: is missing: give the files of \"source\" and "
                "\"target\" to train on\nconfigs/tiny.json:2:1: train.steps: is missing: say how "
                "long to train, with \"steps\" or \"epochs\"");
  check_failure("translate " + at("run"), 5, "heddle: " + at("run") + ": there is no such model");
}

TEST_CASE("cli train: where a file cannot be written, the run says so and keeps what it has") {
  SmallRun small;
  const std::string run = (small / "run").string();
  CHECK(heddle_run(Command{small}("")).code == 0);
  const std::string before =
      read_bytes(small / "run" / "checkpoints" / "last" / "model.safetensors");
  // 16 blocks of 512 or 1024 bytes hold metrics and config, but no model.
  const std::string command =
      std::string("ulimit -f 16; exec ") + program() + " " +
      Command{small}("--resume --set train.steps=20 --set train.save_timeout=1") + " 2>" +
      (small / "err").string();
  const int status = std::system(("sh -c '" + command + "'").c_str());
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
  const std::string err = read_bytes(small / "err");
  CHECK(contains(err, "File too large; the run waits and tries again for 1 s\n"));
  CHECK(contains(err, "\nheddle: cannot write " + run + "/checkpoints/step-0000"));
  CHECK(read_bytes(small / "run" / "checkpoints" / "last" / "model.safetensors") == before);
  for (const auto& entry : fs::recursive_directory_iterator(small / "run")) {
    CHECK_FALSE(heddle::is_temporary_name(entry.path()));
  }
  CHECK(heddle_run(Command{small}("--resume --set train.steps=20")).code == 0);
}

TEST_CASE("cli train: where a right is lost it waits, and goes on when it is given back") {
  const std::vector<std::string> without_rights = {"--bounding-set=-all", "--inh-caps=-all"};
  const bool root = ::geteuid() == 0;  // who may write anywhere, unless that is given up
  if (root && std::system("setpriv --bounding-set=-all --inh-caps=-all true 2>/dev/null") != 0) {
    MESSAGE("skipped: root cannot give its rights up here");
    return;
  }
  SmallRun small;
  const fs::path err = small / "err", checkpoints = small / "run" / "checkpoints";
  std::vector<std::string> command = {"train", (small / "run.json").string(),
                                      "--run", (small / "run").string(),
                                      "--set", "train.steps=400"};
  if (root) {
    command.insert(command.begin(), program());
    command.insert(command.begin(), without_rights.begin(), without_rights.end());
  }
  Process process(command, err, SIG_DFL, root ? "/usr/bin/setpriv" : program());
  REQUIRE(appears(err, "update 8/400"));
  fs::permissions(checkpoints, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(appears(err, "Permission denied; the run waits and tries again for 10 min"));
  fs::permissions(checkpoints, fs::perms::owner_all);
  CHECK(process.exit_code() == 0);
  CHECK(heddle_run(Command{small}("--set train.steps=400", "whole")).code == 0);
  CHECK(checkpoint_names(small, "run") == checkpoint_names(small, "whole"));
  CHECK(small.bytes("run/checkpoints/last/state.json") ==
        small.bytes("whole/checkpoints/last/state.json"));
}

TEST_CASE("cli train: numbers that lead nowhere end it with 6") {
  SmallRun small;
  const Outcome outcome = heddle_run(Command{small}(
      R"(--set 'optimizer={"type": "sgd", "momentum": 0.9}' --set model.norm_order=pre )"
      R"(--set 'schedule={"type": "inverse_sqrt", "learning_rate": 15, "warmup": 0}' )"
      "--set train.clip_norm=0 --set train.steps=60 --set train.max_rollbacks=0"));
  CHECK(outcome.code == 6);
  CHECK(contains(outcome.err, "\nheddle: the "));
  CHECK(contains(outcome.err, "; the run went back 0 times: begin again with a lower "));
}

TEST_CASE("cli train: a second SIGINT leaves at once, and harms nothing") {
  SmallRun small;
  const fs::path err = small / "err";
  CHECK(heddle_run(Command{small}("")).code == 0);
  // No update of this one ends in a time that anybody waits for.
  const std::string run = (small / "long").string();
  const std::vector<std::string> command = {"train", (small / "run.json").string(), "--run", run,
                                            "--set", "train.accumulate=50000"};
  Process process(command, err);
  REQUIRE(appears(err, " parameters, "));
  for (int i = 0; i < 2; ++i) {  // into the update, and for them to be two
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    process.send(SIGINT);
  }
  CHECK(process.exit_code() == 130);
  CHECK_FALSE(contains(read_bytes(err), "saved"));
  CHECK(heddle_run(Command{small}("--set train.accumulate=1 --force", "long")).code == 0);
  CHECK(read_bytes(small / "long" / "checkpoints" / "last" / "model.safetensors") ==
        read_bytes(small / "run" / "checkpoints" / "last" / "model.safetensors"));
}
