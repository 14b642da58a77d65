// heddle evaluate from outside: metrics of files, one line each, and errors that help.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/runs.h"

namespace heddle::testing {
namespace {

/// Three sentences with two references each.
struct Files {
  Files() {
    write_bytes(folder / "hyp",
                "The dog bit the man.\nIt wasn't surprising.\nThe man had just bitten him.\n");
    write_bytes(folder / "ref",
                "The dog bit the man.\nIt was not unexpected.\nThe man bit him first.\n");
    write_bytes(folder / "ref2",
                "The dog had bit the man.\nNo one was surprised.\nThe man had bitten the dog.\n");
    write_bytes(
        folder / "both",
        "The dog bit the man.\tThe dog had bit the man.\nIt was not unexpected.\tNo one was "
        "surprised.\nThe man bit him first.\tThe man had bitten the dog.\n");
    write_bytes(folder / "groups", "dog\nother\ndog\n");
  }
  std::string operator()(const std::string& name) const { return (folder / name.c_str()).string(); }
  std::string hypothesis(const std::string& reference) const {
    return "evaluate --hypothesis " + (*this)("hyp") + " --reference " + (*this)(reference);
  }

  TemporaryFolder folder;
};

TEST_CASE("cli evaluate: a line for each metric, with what was computed") {
  const Files files;
  const std::string two = files.hypothesis("ref") + " --reference " + files("ref2");
  const std::string implementation = "|impl:heddle-0.1.0\n";
  const std::string bleu =
      "BLEU 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18) "
      "nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp" +
      implementation;
  const std::string chrf =
      "chrF2 59.73 nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no" + implementation;
  const std::string exact = "exact match 33.3 % (1 of 3) nrefs:2|tok:none" + implementation;
  const Outcome all = heddle_run(two);
  CHECK(all.code == 0);
  CHECK(all.err == "");
  CHECK(all.out == exact + bleu + chrf);
  CHECK(heddle_run(two + " --metric bleu").out == bleu);
  CHECK(heddle_run(files.hypothesis("both") + " --reference-separator tab --metric bleu").out ==
        bleu);
  write_bytes(files("gaps"),
              "The dog bit the man.\t\nIt was not unexpected.\n\tThe man bit him first.\n");
  CHECK(heddle_run(files.hypothesis("gaps") + " --reference-separator tab").out ==
        heddle_run(files.hypothesis("ref")).out);
  CHECK(heddle_run(two + " --metric bleu --tokenize none").out.starts_with("BLEU 49.19 "));
  CHECK(heddle_run(files.hypothesis("ref") + " --metric wer --metric per").out ==
        "word error rate 66.7 % (2 of 3) nrefs:1|tok:space" + implementation +
            "token error rate 50.0 % (7 edits, 14 tokens) nrefs:1|tok:space" + implementation);
}

TEST_CASE("cli evaluate: groups and JSON") {
  const Files files;
  const std::string grouped = files.hypothesis("ref") + " --groups " + files("groups");
  const std::string signature = " nrefs:1|tok:none|impl:heddle-0.1.0\n";
  CHECK(heddle_run(grouped + " --metric exact").out ==
        "exact match 33.3 % (1 of 3)" + signature + "exact match 50.0 % (1 of 2 dog)" + signature +
            "exact match 0.0 % (0 of 1 other)" + signature);
  const auto lines = heddle_run(grouped + " --metric chrf").out;
  CHECK(lines.find("\nchrF2 ") != lines.npos);
  CHECK(lines.find(" dog nrefs:1|") != lines.npos);
  const auto json = nlohmann::json::parse(heddle_run(grouped + " --json").out);
  CHECK(json.at("lines") == 3);
  CHECK(json.at("exact_match").get<double>() == doctest::Approx(100.0 / 3));
  CHECK(json.at("groups").at("dog").at("lines") == 2);
  CHECK(json.at("groups").at("dog").at("bleu") > json.at("bleu"));
  CHECK(json.at("signatures").at("chrf2").get<std::string>().starts_with("nrefs:1|"));
}

TEST_CASE("cli evaluate: a table with the scores of each line") {
  const Files files;
  const std::string command = files.hypothesis("ref") + " --reference " + files("ref2");
  const Outcome plain = heddle_run(command);
  const Outcome table = heddle_run(command + " --per-line " + files("table"));
  CHECK(table.code == 0);
  CHECK(table.out == plain.out);
  const std::string text = read_bytes(files("table"));
  CHECK(text.starts_with("line\texact\tbleu\tchrf\n1\t100.0000\t100.0000\t100.0000\n2\t0.0000\t"));
  CHECK(std::ranges::count(text, '\n') == 4);
  // Each line is what a file of that line gives, but for BLEU of a sentence.
  CHECK(heddle_run(files.hypothesis("ref") + " --metric per --metric wer --per-line " +
                   files("table"))
            .code == 0);
  CHECK(read_bytes(files("table")) ==
        "line\tper\twer\n1\t0.0000\t0.0000\n2\t75.0000\t100.0000\n3\t80.0000\t100.0000\n");
  write_bytes(files("hyp"), "the the the\n\na\n");
  write_bytes(files("ref"), "\n\na\n");
  CHECK(heddle_run(files.hypothesis("ref") + " --metric per --per-line /dev/stdout")
            .out.starts_with("line\tper\n1\tinf\n2\t0.0000\n3\t0.0000\ntoken error rate "));
  const std::string nowhere = files("no") + "/table";
  const Outcome unwritable = heddle_run(command + " --per-line " + nowhere);
  CHECK(unwritable.code == 5);
  CHECK(contains(unwritable.err, nowhere));
}

TEST_CASE("cli evaluate: a model with a beam is as its translations are") {
  SmallRun small;
  small.train({});
  const std::string run = (small / "run").string(), source = (small / "valid.src").string(),
                    reference = (small / "valid.tgt").string(), table = (small / "table").string(),
                    hypothesis = (small / "hyp").string();
  const std::string metrics = " --reference " + reference +
                              " --metric exact --metric chrf --metric per --per-line " + table;
  for (const char* search : {" --beam 3", " --beam 3 --length-penalty 0", " --max-length 2"}) {
    CAPTURE(search);
    const Outcome of_model =
        heddle_run("evaluate " + run + search + " --source " + source + metrics);
    CHECK(of_model.code == 0);
    const std::string lines = read_bytes(table);
    REQUIRE(
        heddle_run("translate " + run + search + " --input " + source + " --output " + hypothesis)
            .code == 0);
    const Outcome of_file = heddle_run("evaluate --hypothesis " + hypothesis + metrics);
    CHECK(of_model.out.starts_with(of_file.out + "loss "));
    CHECK(of_file.err == "");
    if (contains(search, "max-length"))
      CHECK(contains(of_model.err, " of 40 translations did not end"));
    CHECK(read_bytes(table) == lines);
  }
}

TEST_CASE("cli evaluate: bad input is one sentence") {
  const Files files;
  write_bytes(files("short"), "one\ntwo\n");
  write_bytes(files("latin1"), "one\ntw\xE9\nthree\n");
  write_bytes(files("empty"), "");
  check_failure(files.hypothesis("ref") + " --reference " + files("short"), 4,
                "heddle: " + files("ref") + " has 3 lines, but " + files("short") +
                    " has 2; line n of one must belong to line n of the other");
  check_failure(files.hypothesis("empty"), 4, "heddle: " + files("empty") + ": the file is empty");
  const Outcome latin = heddle_run(files.hypothesis("latin1"));
  CHECK(latin.code == 0);
  CHECK(latin.err == "heddle: 1 of 3 lines of " + files("latin1") +
                         " are not valid UTF-8, the first is line 2 (byte 3)\n");
  write_bytes(files("repaired"), "one\ntw\xEF\xBF\xBD\nthree\n");
  CHECK(heddle_run(files.hypothesis("repaired")).out == latin.out);
  for (const char* wrong : {"--metric blue", "--tokenize 13b", "--metric", "--beam 3"}) {
    CAPTURE(wrong);
    const Outcome outcome = heddle_run(files.hypothesis("ref") + " " + wrong);
    CHECK(outcome.code == 2);
    CHECK(outcome.out == "");
  }
}

TEST_CASE("cli evaluate: a long text is taken in parts, with the results of the whole") {
  const SmallRun& small = trained();
  const std::string sources = small.bytes("valid.src"), targets = small.bytes("valid.tgt");
  std::string many_sources, many_targets;
  for (int i = 0; i < 250; ++i) {  // 10,000 lines: more than a window, and than batches at a time
    many_sources += sources;
    many_targets += targets;
  }
  write_bytes(small / "many.src", many_sources);
  write_bytes(small / "many.tgt", many_targets);
  const auto evaluated = [&](const char* source, const char* target) {
    return nlohmann::json::parse(heddle_run("evaluate " + (small / "run").string() + " --json" +
                                            " --metric exact --metric per --source " +
                                            (small / source).string() + " --reference " +
                                            (small / target).string())
                                     .out);
  };
  const auto once = evaluated("valid.src", "valid.tgt"), many = evaluated("many.src", "many.tgt");
  for (const char* value : {"token_error_rate", "exact_match", "loss"}) {
    CHECK(many.at(value).get<double>() ==
          doctest::Approx(once.at(value).get<double>()).epsilon(1e-6));  // float32
  }
  CHECK(many.at("target_tokens") == 250 * once.at("target_tokens").get<int>());
}

TEST_CASE("cli evaluate: a file that would not fit is refused") {
  const Files files;
  const std::string path = files("endless");
  constexpr std::streamoff kLine = std::streamoff{63} << 20;
  std::ofstream file(path, std::ios::binary);
  for (int line = 1; line <= 20; ++line) {  // of zeros, which a sparse file does not store
    file.seekp(line * kLine);
    file << '\n';
  }
  file.close();
  const Outcome outcome = heddle_run("evaluate --hypothesis " + path + " --reference " + path);
  CHECK(outcome.code == 4);
  CHECK(outcome.err ==
        "heddle: " + path +
            ": the first 17 lines take more than 1 GiB of memory; compare parts of it\n");
}

}  // namespace
}  // namespace heddle::testing
