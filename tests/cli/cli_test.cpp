// The program from outside: what it prints, where, and its exit codes.
#include <doctest/doctest.h>

#include <string>

#include "autograd/base/parallel.h"
#include "tests/support/documents.h"
#include "tests/support/program.h"
#include "tests/support/sanitized.h"
#include "tests/support/xml.h"

using heddle::testing::check_failure;
using heddle::testing::contains;
using heddle::testing::contents;
using heddle::testing::count;
using heddle::testing::heddle_run;
using heddle::testing::Outcome;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;

TEST_CASE("cli: help begins with an example and names every verb") {
  const Outcome help = heddle_run("--help");
  CHECK(help.code == 0);
  CHECK(help.err == "");
  CHECK(help.out.starts_with("Example: heddle "));
  for (const char* verb : {"train", "translate", "evaluate", "score", "average", "bench", "inspect",
                           "plot", "config", "gradcheck"}) {
    CAPTURE(verb);
    CHECK(contains(help.out, std::string("  ") + verb + " "));
    const Outcome about = heddle_run(std::string(verb) + " --help");
    CHECK(about.code == 0);
    CHECK(about.out.starts_with("Example: "));
    CHECK(about.out.find(std::string("heddle ") + verb) < about.out.find('\n'));
  }
}

TEST_CASE("cli: a wrong command line is one sentence, with the nearest name, and exit code 2") {
  check_failure("", 2, "heddle: no verb is given; see heddle --help");
  check_failure("gradchek x", 2,
                "heddle: there is no verb gradchek; did you mean \"gradcheck\"? See heddle --help");
  check_failure("frobnicate", 2, "heddle: there is no verb frobnicate; see heddle --help");
  check_failure("gradcheck configs/tiny.json --directoins=3", 2,
                "heddle: there is no option --directoins=3; did you mean \"--directions\"? See "
                "heddle gradcheck --help");
  check_failure("gradcheck configs/tiny.json more", 2,
                "heddle: there is no argument more; see heddle gradcheck --help");
  check_failure("gradcheck", 2, "heddle: CONFIG is required; see heddle gradcheck --help");
  check_failure("config", 2, "heddle: CONFIG is required; see heddle config --help");
  check_failure("gradcheck configs/tiny.json --vocabulary 2", 2,
                "heddle: --vocabulary: expected an integer from 3 to 16777216, got 2; see heddle "
                "gradcheck --help");
}

TEST_CASE("cli: what is wrong with a config is said at its place, with exit code 3") {
  check_failure("gradcheck nowhere.json", 3, "nowhere.json: there is no such file");
  check_failure("config configs", 3, "configs: is a folder, not a config");
  check_failure("config configs/tiny.json --set model.heads=7 --set model.d_fff=3", 3,
                "--set model.heads=7: model.heads: 7 does not divide d_model 128\n"
                "--set model.d_fff=3: model.d_fff: unknown key; did you mean \"d_ff\"?");
  check_failure("config configs/tiny.json --set model.kv_heads=3", 3,
                "--set model.kv_heads=3: model.kv_heads: 3 does not divide heads 4");
  check_failure("config configs/tiny.json --set model.heads=128 --set model.positions=rotary", 3,
                "--set model.heads=128: model.heads: rotary positions need an even number of "
                "columns per head, not 1");
  check_failure("config configs/tiny.json --set model.d_model=1028", 3,
                "configs/tiny.json:6:14: model.heads: heads of d_model 1028 / 4 = 257 columns are "
                "wider than 256; take more heads");
  check_failure(
      "config configs/tiny.json --set model.d_model=129 --set model.heads=3", 3,
      "--set model.d_model=129: model.d_model: sinusoidal positions need an even d_model");
  check_failure("config configs/tiny.json --set model.encoder.d_model=64", 3,
                "configs/tiny.json:4:12: model.tie: d_model is 64 in the encoder and 128 in the "
                "decoder; take \"target_output\" or \"none\"");
  check_failure(
      "config configs/tiny.json --set 'model.encoder.block=[]'", 3,
      "--set model.encoder.block=[]: model.encoder.block: an empty list; leave it out or give "
      "elements");
  check_failure(
      "config configs/tiny.json --set 'model.encoder.block=[{\"type\":\"cross_attention\"}]'", 3,
      "--set model.encoder.block=[{\"type\":\"cross_attention\"}]: model.encoder.block[0].type: "
      "\"cross_attention\" is none of self_attention, feed_forward; did you mean "
      "\"self_attention\"?");
}

TEST_CASE("cli: the resolved config is printed and reads as the same") {
  const TemporaryFolder folder;
  const auto file = folder / "resolved.json";
  for (const char* name : {"tiny", "base", "modern"}) {
    const Outcome first = heddle_run("config configs/" + std::string(name) + ".json");
    CHECK(first.code == 0);
    CHECK(first.err == "");
    CHECK(contains(first.out, "\"d_ff\": "));
    write_bytes(file, first.out);
    const Outcome second = heddle_run("config " + file.string());
    CHECK(second.out == first.out);
  }
}

TEST_CASE("cli: the schema in the tree is the program's own") {
  const Outcome schema = heddle_run("config --schema");
  CHECK(schema.code == 0);
  CHECK(schema.out == contents("configs/heddle.schema.json"));
}

TEST_CASE("cli: gradcheck prints a line for each parameter, the worst last") {
  const Outcome outcome = heddle_run(
      "gradcheck configs/modern.json --set model.d_model=64 --set model.d_ff=96 --vocabulary 30");
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.err, "checking the full model, "));
  CHECK(contains(outcome.out, "\nencoder.layers.1.self_attention.key.weight "));
  CHECK(contains(outcome.out, "\ndecoder.layers.1.feed_forward.gate.bias "));
  CHECK(contains(outcome.out, "\nworst of the small model: "));
  CHECK(contains(outcome.out, "\ndirection 4: "));
  CHECK(outcome.out.ends_with(", allowed 1e-05: passed\n"));
  // Numbers that are none are no success: exit code 6.
  const Outcome wrong = heddle_run(
      "gradcheck configs/tiny.json --set model.initialisation=normal --set model.init_std=1e200 "
      "--directions 0");
  CHECK(wrong.code == 6);
  CHECK(contains(wrong.out, "\nfailed: "));
  CHECK(wrong.out.ends_with(", allowed 1e-06: FAILED\n"));
  const Outcome small = heddle_run("gradcheck configs/modern.json --directions 0");
  CHECK(small.code == 0);
  CHECK(small.err == "");
  CHECK(small.out.ends_with(", allowed 1e-06: passed\n"));
}

TEST_CASE("cli: more threads than processors are worth a line") {
  const std::string processors = std::to_string(heddle::available_threads());
  const Outcome many = heddle_run("inspect nowhere");
  CHECK_FALSE(contains(many.err, "warning"));
  for (const char* verb : {"translate nowhere", "score nowhere --source a --target b",
                           "train nowhere.json", "gradcheck nowhere.json", "bench nowhere.json",
                           "evaluate nowhere --source a --reference b"}) {
    CAPTURE(verb);
    const std::string warning =
        "warning: --threads 1000 is more than the " + processors + " processor" +
        (processors == "1" ? "" : "s") +
        " that this process may use; the threads will wait for each other\n";
    const Outcome warned = heddle_run(std::string(verb) + " --threads 1000");
    CHECK(warned.err.starts_with(warning));
    CHECK(count(warned.err, "warning") == 1);
    CHECK_FALSE(contains(heddle_run(std::string(verb) + " --threads 1").err, "warning"));
    CHECK_FALSE(
        contains(heddle_run(std::string(verb) + " --threads " + processors).err, "warning"));
  }
}

TEST_CASE("cli: not enough memory is one sentence with what to lower, and exit code 7") {
  if (heddle::testing::kSanitized) return;  // sanitizers reserve terabytes
  const Outcome outcome = heddle_run(
      "bench --shape tiny --lanes 1 --threads 1 --sentences 400 --length 1000 "
      "--set train.lane_tokens=1000000",
      "export OPENBLAS_NUM_THREADS=1 && ulimit -v 1200000");
  CHECK(outcome.code == 7);
  CHECK(outcome.out == "");
  CHECK(contains(outcome.err, "heddle: not enough memory: another "));
  CHECK(
      outcome.err.ends_with("B could not be had; lower --lanes, --length or train.lane_tokens\n"));
}
