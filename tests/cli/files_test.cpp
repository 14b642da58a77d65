// Files that a command line names: pipes, links, one file under two names, names that are not
// UTF-8, results that cannot be written.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/support/places.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

/// A pipe with this name, which a process fills with the file's bytes once it is read.
std::string pipe_of(const fs::path& pipe, const std::string& file) {
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  REQUIRE(std::system(("cat '" + file + "' > '" + pipe.string() + "' &").c_str()) == 0);
  return pipe.string();
}

/// The exit code of `heddle` with its streams where the shell's `redirections` lead.
int code_with(const std::string& arguments, const std::string& redirections) {
  const std::string command =
      "cd " + source_folder() + " && " + program() + " " + arguments + " " + redirections;
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/// A command that must leave `file` as it is, and says why with exit code 2.
void check_refused(const std::string& arguments, const fs::path& file, const std::string& part) {
  CAPTURE(arguments);
  const std::string before = read_bytes(file);
  const Outcome outcome = heddle_run(arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(outcome.out == "");
  CHECK(contains(outcome.err, part));
  CHECK(read_bytes(file) == before);
}

}  // namespace

TEST_CASE("cli files: a config may come through a pipe") {
  const TemporaryFolder folder;
  const std::string tiny = source_folder() + "/configs/tiny.json";
  const std::string pipe = pipe_of(folder / "tiny", tiny);
  CHECK(heddle_run("config " + pipe).out == heddle_run("config " + tiny).out);

  SmallRun small;
  const std::string config = (small / "run.json").string(), run = (small / "run").string();
  check_failure("train " + pipe, 2,
                "heddle: --run: is required: a config that comes through a pipe gives the run no "
                "name; see heddle train --help");
  // Its paths start from the current folder.
  const std::string here = "cd " + (small / ".").string() + " && " + program() + " train ";
  const std::string piped = pipe_of(small / "config", config);
  REQUIRE(std::system((here + piped + " --run run 2>err").c_str()) == 0);
  REQUIRE(std::system((here + config + " --run other 2>err").c_str()) == 0);
  CHECK(small.bytes("run/config.json") == small.bytes("other/config.json"));
  CHECK(heddle_run("train " + run + "/config.json --run " + run + " --resume --set train.steps=16")
            .code == 0);
  // What stops such a run says how to go on without the pipe.
  const fs::path err = small / "stopped";
  Process process(
      {"train", "/dev/stdin", "--run", run, "--resume", "--set", "train.steps=100000000", "--set",
       "data.train.source=" + (small / "train.src").string(), "--set",
       "data.train.target=" + (small / "train.tgt").string(), "--set",
       "data.valid.source=" + (small / "valid.src").string(), "--set",
       "data.valid.target=" + (small / "valid.tgt").string()},
      err);
  process.write(read_bytes(config));
  process.close_input();
  for (int i = 0; i < 6000 && !contains(read_bytes(err), "update 20/"); ++i) ::usleep(10000);
  process.send(SIGINT);
  CHECK(process.exit_code() == 130);
  CHECK(read_bytes(err).ends_with("saved; resume with: heddle train " + run +
                                  "/config.json --run " + run + " --resume\n"));
}

TEST_CASE("cli files: text may come through pipes, each of which is read once") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const std::string source = (small / "valid.src").string(),
                    target = (small / "valid.tgt").string();
  const auto pipe = [&](const char* name, const std::string& file) {
    fs::remove(small / name);
    return pipe_of(small / name, file);
  };
  const auto same = [&](const std::string& verb, const std::vector<std::string>& options) {
    std::string with_files = verb, with_pipes = verb;
    for (std::size_t i = 0; i < options.size(); i += 2) {
      with_files += " " + options[i] + " " + options[i + 1];
      with_pipes +=
          " " + options[i] + " " + pipe(("pipe" + std::to_string(i)).c_str(), options[i + 1]);
    }
    CAPTURE(with_pipes);
    const Outcome expected = heddle_run(with_files), outcome = heddle_run(with_pipes);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == expected.out);
    CHECK(outcome.out != "");
  };
  same("translate " + run, {"--input", source, "--prefix", target});
  same("score " + run, {"--source", source, "--target", target});
  same("evaluate " + run, {"--source", source, "--reference", target, "--groups", source});
  same("evaluate", {"--hypothesis", source, "--reference", target});

  const std::string one = pipe("one", source);
  const std::string read_once =
      "; it can be read only once, so copy it into a file first; see heddle ";
  check_failure("score " + run + " --source " + one + " --target " + one, 2,
                "heddle: --target: " + one + " is a pipe that is also given by --source" +
                    read_once + "score --help");
  check_failure("translate " + run + " --prefix /dev/stdin 0<>" + one, 2,
                "heddle: --prefix: /dev/stdin is a pipe that is also standard input" + read_once +
                    "translate --help");
}

TEST_CASE("cli files: text to train on must be a regular file, and no writer is waited for") {
  const SmallRun& small = trained();
  const std::string pipe = (small / "nobody").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const char* key :
       {"train.source", "train.target", "valid.source", "valid.target", "valid.references"}) {
    CAPTURE(key);
    const Outcome outcome = heddle_run("train " + (small / "run.json").string() + " --run " +
                                       (small / "piped").string() +
                                       " --set train.best_by=bleu --set data." + key + "=" + pipe);
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.err, "heddle: cannot read " + pipe +
                                    ": it is not a regular file, and a run reads its text several "
                                    "times; copy it into a file first\n"));
    CHECK_FALSE(fs::exists(small / "piped"));
  }
}

TEST_CASE("cli files: what a command reads is never written over") {
  SmallRun small;
  small.train({});
  const std::string run = (small / "run").string(), in = (small / "two").string();
  write_bytes(in, "un deux\n");
  fs::create_symlink("two", small / "link");
  fs::create_hard_link(in, small / "hard");
  fs::create_directory(small / "folder");
  const std::string translate = "translate " + run + " --input " + in + " --output ";
  for (const char* name : {"two", "link", "hard", "folder/../two", "./two"}) {
    check_refused(translate + (small / name).string(), in, "heddle: --output: ");
  }
  check_failure(translate + in, 2,
                "heddle: --output: " + in +
                    " is the file that --input reads; give another file to write to; see heddle "
                    "translate --help");
  check_refused("translate " + run + " --output " + in + " < " + in, in, " is standard input;");
  check_refused("translate " + run + " --input " + (small / "valid.src").string() + " --prefix " +
                    in + " --output " + in,
                in, "--prefix reads");
  const fs::path weights = fs::canonical(small / "run/checkpoints/best") / "model.safetensors";
  check_refused(translate + weights.string(), weights, "MODEL reads");
  check_refused(translate + run + "/config.json", small / "run/config.json", "MODEL reads");
  // Lines that are appended to the input would be read, too.
  CHECK(code_with(translate.substr(0, translate.find(" --output")), ">> " + in + " 2>/dev/null") ==
        2);
  CHECK(read_bytes(in) == "un deux\n");

  const std::string judge = "evaluate --hypothesis " + in + " --reference " +
                            (small / "hard").string() + " --per-line " + in;
  check_refused(judge, in, "heddle: --per-line: ");
  const std::string config = (small / "run.json").string();
  const std::string train = "train " + config + " --run " + (small / "new").string() + " --trace ";
  check_refused(train + config, config, "CONFIG reads");
  check_refused(train + (small / "valid.tgt").string(), small / "valid.tgt", "the config reads");
  check_refused("train " + config + " --run " + run + " --force --set train.init_from=" + run,
                weights, "heddle: --force: would throw away ");
  check_refused("bench " + config + " --trace " + config, config, "CONFIG reads");
  fs::create_symlink("run/metrics.jsonl", small / "curves.svg");
  check_refused("plot " + run + " --output " + (small / "curves.svg").string(),
                small / "run/metrics.jsonl", "RUN reads");
  CHECK(heddle_run(translate + (small / "out").string()).code == 0);
  CHECK(heddle_run(translate + (small / "out").string()).code == 0);  // of before: replaced
  CHECK(heddle_run(translate + "/dev/null < /dev/null").code == 0);
}

TEST_CASE("cli files: where an output is a link to nothing, its target is made") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string(), in = (small / "valid.src").string();
  const std::string target = (small / "valid.tgt").string();
  fs::create_directory(small / "there");
  const auto link = [&](const std::string& to, const char* name) {
    fs::create_symlink(to, small / name);
    return (small / name).string();
  };
  const std::string last = link("there/out", "last");
  const std::string first = link((small / "last").string(), "first");
  CHECK(heddle_run("translate " + run + " --input " + in + " --output " + first).code == 0);
  CHECK(fs::is_symlink(last));
  CHECK(fs::is_symlink(first));
  CHECK(small.bytes("there/out") == heddle_run("translate " + run + " --input " + in).out);
  CHECK(heddle_run("evaluate --hypothesis " + in + " --reference " + target + " --per-line " +
                   link("there/lines", "lines"))
            .code == 0);
  CHECK(fs::exists(small / "there/lines"));
  CHECK(heddle_run("plot " + run + " --output " + link("there/page", "page.html")).code == 0);
  CHECK(contains(small.bytes("there/page"), "<!DOCTYPE html>"));
  const std::string nowhere = link("no/out", "nowhere");
  const Outcome outcome =
      heddle_run("translate " + run + " --input " + in + " --output " + nowhere);
  CHECK(outcome.code == 5);
  CHECK(outcome.err ==
        "heddle: cannot write " + (small / "no/out").string() + ": No such file or directory\n");
  const std::string circle = link("circle", "circle");
  CHECK(heddle_run("translate " + run + " --input " + in + " --output " + circle).err ==
        "heddle: cannot write " + circle + ": Too many levels of symbolic links\n");
}

TEST_CASE("cli files: results that cannot be written end every verb with 5") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string(), config = (small / "run.json").string();
  const std::string in = (small / "valid.src").string(), tiny = "configs/tiny.json";
  for (const std::string& arguments : std::vector<std::string>{
           "--version", "--help", "train --help", "translate --help", "evaluate --help",
           "config --schema", "config " + tiny, "inspect " + run,
           "translate " + run + " --input " + in,
           "score " + run + " --source " + in + " --target " + in,
           "evaluate --hypothesis " + in + " --reference " + in,
           "gradcheck " + config + " --directions 0",
           "plot " + run + " --output " + (small / "full.svg").string(),
           "train " + config + " --dry-run --run " + (small / "x").string(),
           "average " + run + " --last 2 --output " + (small / "mean").string()}) {
    CAPTURE(arguments);
    CHECK(code_with(arguments, "> /dev/full 2> " + (small / "full").string()) == 5);
    CHECK(contains(small.bytes("full"), "heddle: cannot write to standard output"));
  }
  CHECK(code_with("--version", ">&- 2>/dev/null") == 5);
  CHECK(code_with("--version", "> /dev/null") == 0);
}

TEST_CASE("cli files: what is said to nobody does not change the exit code") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  write_bytes(small / "invalid", "un \xFF\n");
  for (const char* closed : {"2> /dev/full", "2>&-"}) {
    CAPTURE(closed);
    CHECK(code_with("frobnicate", closed) == 2);
    CHECK(code_with("translate nowhere", closed) == 5);
    CHECK(code_with("config nowhere.json", closed) == 3);
    CHECK(code_with("translate " + run + " --input " + (small / "invalid").string() + " --output " +
                        (small / "out").string(),
                    closed) == 0);
    CHECK(small.bytes("out") != "");
    fs::remove(small / "out");
  }
}

TEST_CASE("cli files: hints can be pasted into a shell") {
  SmallRun small;
  const std::string config = (small / "run.json").string(), run = (small / "my run's").string();
  const std::string quoted = "'" + (small / "my run").string() + "'\\''s'";
  const Outcome outcome = heddle_run("train " + config + " --run \"" + run + "\"");
  CHECK(outcome.code == 0);
  const std::string hint = "heddle translate " + quoted;
  CHECK(outcome.err.ends_with("\ndone; translate with: " + hint + "\n"));
  const Outcome mean = heddle_run("average \"" + run + "\" --last 2 --output \"" +
                                  (small / "a mean").string() + "\"");
  CHECK(mean.err == "the mean of 2 checkpoints; translate with: heddle translate '" +
                        (small / "a mean").string() + "'\n");
  CHECK(heddle_run("translate " + quoted + " --input " + (small / "valid.src").string()).code == 0);
}

TEST_CASE("cli files: names that are not UTF-8 work everywhere") {
  SmallRun small;
  const fs::path folder = small / "caf\xE9 \xFF";
  fs::create_directory(folder);
  for (const char* name : {"run.json", "train.src", "train.tgt", "valid.src", "valid.tgt"}) {
    fs::rename(small / name, folder / name);
  }
  const std::string at = "\"" + folder.string() + "\"/";
  const std::string train = "train " + at + "run.json --run " + at + "run";
  const Outcome first = heddle_run(train + " --trace " + at + "trace.json");
  CAPTURE(first.err);
  CHECK(first.code == 0);
  const std::string model =
      "heddle translate \"$(printf '" + (small / "caf").string() + "\\351 \\377/run')\"\n";
  CHECK(first.err.ends_with("done; translate with: " + model));
  CHECK(contains(read_bytes(folder / "run/config.json"), "/caf%E9%20%FF/train.src\""));
  CHECK(heddle_run(train + " --resume --set train.steps=16").code == 0);
  CHECK(heddle_run("config " + at + "run.json").code == 0);
  CHECK(heddle_run("train " + at + "run/config.json --run " + at + "run --resume").code == 0);
  const std::string in = at + "valid.src", right = at + "valid.tgt", run = at + "run";
  const auto works = [](const std::string& arguments) {
    const Outcome outcome = heddle_run(arguments);
    CAPTURE(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
  };
  works("translate " + run + " --input " + in + " --output " + at + "out");
  works("score " + run + " --source " + in + " --target " + right);
  works("evaluate " + run + " --source " + in + " --reference " + right + " --groups " + in +
        " --json --per-line " + at + "lines");
  works("inspect " + run);
  works("average " + run + " --last 2 --output " + at + "mean");
  works("plot " + run + " " + at + "run/../run --output " + at + "both.svg");
  works("bench " + at + "run.json --updates 3 --sentences 4 --length 4 --json");
  works("bench --decode " + run + " --source " + in + " --json");
  works("train " + at + "run.json --run " + at + "next --set 'train.init_from=file://" +
        (small / "caf").string() + "%E9%20%FF/run'");
  check_failure("translate " + at + "none", 5,
                "heddle: " + (small / "caf").string() + "\\xe9 \\xff/none: there is no such model");
}
