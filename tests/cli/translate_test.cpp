// heddle translate from outside: files, searches, samples, prefixes.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "tests/support/program.h"
#include "tests/support/runs.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

std::string lines_in(const std::string& text) {
  return std::to_string(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("cli translate: one line out for each line in, from files and through pipes") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in", out = small / "out";
  write_bytes(in, "un deux\n\nhuit\r\nsept \xff\nsix");
  const Outcome piped = heddle_run("translate " + run + " < " + in.string());
  CHECK(piped.code == 0);
  CHECK(lines_in(piped.out) == "5");
  CHECK(contains(piped.out, "\n\n"));
  const std::string invalid = " are not valid UTF-8, the first is line 4 (byte 6)\n";
  CHECK(contains(piped.err, "heddle: 1 of 5 lines of standard input" + invalid));
  const Outcome files =
      heddle_run("translate " + run + " --input " + in.string() + " --output " + out.string());
  CHECK(files.code == 0);
  CHECK(files.out == "");
  CHECK(contains(files.err, "heddle: 1 of 5 lines of " + in.string() + invalid));
  CHECK(read_bytes(out) == piped.out);
  CHECK(heddle_run("translate " + run + " < /dev/null").out == "");
  // A link stays one; a pipe is written to.
  fs::create_symlink(out, small / "link");
  write_bytes(out, "old");
  const std::string both = "translate " + run + " --input " + in.string() + " --output ";
  CHECK(heddle_run(both + (small / "link").string()).code == 0);
  CHECK(fs::is_symlink(small / "link"));
  CHECK(read_bytes(out) == piped.out);
  CHECK(heddle_run(both + "/dev/stdout").out == piped.out);
  check_failure("translate " + run + " --input " + (small / "no").string(), 5,
                "heddle: cannot read " + (small / "no").string() + ": No such file or directory");
  check_failure("translate " + run + " --input " + run, 5,
                "heddle: cannot read " + run + ": it is a directory");
  const std::string nowhere = (small / "no" / "out").string();
  const Outcome unwritable =
      heddle_run("translate " + run + " --output " + nowhere + " < " + in.string());
  CHECK(unwritable.code == 5);
  CHECK(contains(unwritable.err, nowhere));
}

TEST_CASE("cli translate: beams, scores and several translations of a line") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in_beam";
  write_bytes(in, "un deux trois\n\nhuit six\n");
  const std::string translate = "translate " + run + " --input " + in.string();
  const Outcome greedy = heddle_run(translate), beam = heddle_run(translate + " --beam 4");
  CHECK(heddle_run(translate + " --beam 1").out == greedy.out);
  CHECK(beam.code == 0);
  CHECK(lines_in(beam.out) == "3");
  CHECK(heddle_run(translate + " --beam 4 --threads 3").out == beam.out);

  std::string a, b;
  for (const auto& [search, expected] :
       {std::pair{" --beam 4", beam.out}, std::pair{" --beam 1", greedy.out}}) {
    std::istringstream scored(heddle_run(translate + search + " --scores").out), plain(expected);
    while (std::getline(plain, b)) {
      REQUIRE(std::getline(scored, a));
      CHECK(std::stod(a) <= 0.0);
      CHECK(a.substr(a.find('\t') + 1) == b);
    }
  }
  // line, score, text; the first of each line is its translation, scores fall.
  std::istringstream several(heddle_run(translate + " --beam 4 --n-best 3").out);
  std::vector<int> counts(4);
  double last = 0.0;
  std::istringstream first(beam.out);
  for (std::string row; std::getline(several, row);) {
    const std::size_t tab = row.find('\t'), second = row.find('\t', tab + 1);
    const auto line = static_cast<std::size_t>(std::stoi(row));
    REQUIRE((line >= 1 && line <= 3));
    const double score = std::stod(row.substr(tab + 1));
    if (counts[line]++ == 0) {
      REQUIRE(std::getline(first, b));
      CHECK(row.substr(second + 1) == b);
    } else {
      CHECK(score <= last);
    }
    last = score;
  }
  CHECK(counts == std::vector<int>{0, 3, 1, 3});
  check_failure(translate + " --n-best 3", 2,
                "heddle: --n-best: 3 outputs need a beam as large: give --beam 3; see heddle "
                "translate --help");
  CHECK(heddle_run(translate + " --beam 0").code == 2);
  std::istringstream cut(heddle_run(translate + " --max-length 1").out);
  for (std::string line; std::getline(cut, line);) CHECK(!contains(line, " "));
}

TEST_CASE("cli translate: numbers of lines do not depend on when the lines come") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in_pieces", prefixes = small / "prefixes_of_pieces";
  std::string text, beginnings;
  for (int i = 0; i < 300; ++i) {
    text += i % 7 == 3 ? "\n" : "un deux\n";  // more lines than are translated together at first
    beginnings += i % 5 == 1 ? "six\n" : "\n";
  }
  write_bytes(in, text);
  write_bytes(prefixes, beginnings);
  const std::vector<std::string> command = {
      "translate",    run, "--sample", "--n-best", "2", "--prefix", prefixes.string(),
      "--max-length", "9"};
  std::string shell;
  for (const std::string& word : command) shell += word + " ";
  const Outcome whole = heddle_run(shell + "< " + in.string());
  CHECK(whole.code == 0);
  Process process(command, small / "err_pieces");
  std::string answers;
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const std::size_t end = text.find('\n', begin) + 1;
    process.write(text.substr(begin, end - begin));
    // Every third line waits for its answers.
    if (line % 3 == 0) {
      const std::string number = std::to_string(line) + "\t";
      std::string answer = process.read_line();
      while (!answer.starts_with(number)) {
        answers += answer;
        answer = process.read_line();
        REQUIRE(answer != "");
      }
      answers += answer;
    }
    begin = end;
  }
  process.close_input();
  for (std::string answer; (answer = process.read_line()) != "";) answers += answer;
  CHECK(process.exit_code() == 0);
  CHECK(answers == whole.out);
}

TEST_CASE("cli translate: what happened to lines is said, with the first of them") {
  const SmallRun& small = trained();
  std::string longest;
  for (int i = 0; i < 1024; ++i) longest += "un ";
  write_bytes(small / "in_odd", "un\n" + longest + "\n@@@ ###\n\n@@@\n");
  const Outcome outcome = heddle_run("translate " + (small / "run").string() +
                                     " --max-length 3 --input " + (small / "in_odd").string());
  CHECK(outcome.code == 0);
  CHECK(
      contains(outcome.err,
               "heddle: 2 of 5 lines have no symbol that the model knows, the first is line 3\n"));
  CHECK(
      contains(outcome.err,
               "heddle: 1 of 5 lines are longer than 1024 tokens, the first is line 2; their ends "
               "were left out\n"));
}

TEST_CASE("cli bench: the speed of translating a file") {
  const SmallRun& small = trained();
  const fs::path in = small / "in_bench";
  write_bytes(in, "un deux trois\n\nhuit six\n");
  const std::string bench = "bench --decode " + (small / "run").string() + " --source ";
  const auto json = nlohmann::json::parse(heddle_run(bench + in.string() + " --beam 2 --json").out);
  CHECK(json.at("sentences") == 3);
  CHECK(json.at("beam") == 2);
  CHECK(json.at("limit") == "2 x source + 50");
  for (const char* key :
       {"output_tokens_per_second", "tokens_per_sentence", "sentences_per_second", "single_ms",
        "load_ms", "peak_mb", "sgemm_gflops", "scaled_output_tokens_per_second"}) {
    CHECK(json.at(key) > 0.0);
  }
  const Outcome text = heddle_run(bench + in.string());
  CHECK(contains(text.out, ": 3 sentences, beam 1, "));
  CHECK(contains(heddle_run(bench + in.string() + " --max-length 7").out,
                 ", ends not counted, at most 7\n"));
  CHECK(contains(text.out, "\nms of one sentence "));
  write_bytes(in, "");
  check_failure(bench + in.string(), 4, "heddle: " + in.string() + ": the file is empty");
  CHECK(heddle_run(bench + in.string() + " --updates 3").code == 2);
  CHECK(heddle_run("bench --shape tiny --beam 3").code == 2);
  check_failure("bench --decode " + (small / "run").string(), 2,
                "heddle: --source is required; see heddle bench --help");
}

TEST_CASE("cli translate: samples are the same again, with other threads too") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in_samples";
  write_bytes(in, "un deux\nun deux\n\nhuit sept six\n");
  const std::string command = "translate " + run + " --input " + in.string() + " --sample ";
  const Outcome samples = heddle_run(command + "--n-best 2 --top-k 20 --top-p 0.95 --seed 7");
  CHECK(samples.code == 0);
  CHECK(lines_in(samples.out) == "7");  // two for each line with text
  CHECK(contains(samples.out, "\n3\t0.0000\t\n4\t"));
  CHECK(heddle_run(command + "--n-best 2 --top-k 20 --top-p 0.95 --seed 7 --threads 1").out ==
        samples.out);
  CHECK(heddle_run(command + "--n-best 2 --top-k 20 --top-p 0.95 --seed 8").out != samples.out);
  const std::string plain = heddle_run(command + "--temperature 5").out;
  CHECK(lines_in(plain) == "4");
  const std::size_t first_end = plain.find('\n');
  CHECK(plain.substr(0, first_end) !=
        plain.substr(first_end + 1, first_end));  // same text, other line
  check_failure("translate " + run + " --top-k 3", 2,
                "heddle: --top-k requires --sample; see heddle translate --help");
  check_failure("translate " + run + " --sample --beam 3", 2,
                "heddle: --beam excludes --sample; see heddle translate --help");
  check_failure(
      "translate " + run + " --sample --top-p 2", 2,
      "heddle: --top-p: expected a number from 0.001 to 1, got 2; see heddle translate --help");
}

TEST_CASE("cli translate: prefixes are for lines, one by one, and alignments come last") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in_prefixed", prefixes = small / "prefixes";
  write_bytes(in, "un deux\n\nhuit\n");
  write_bytes(prefixes, "six six\n\nsept\n");
  const std::string command =
      "translate " + run + " --input " + in.string() + " --prefix " + prefixes.string();
  for (const char* beam : {" --beam 1", " --beam 3"}) {
    const Outcome forced = heddle_run(command + beam);
    CHECK(forced.code == 0);
    CHECK(forced.out.starts_with("six six"));
    CHECK(contains(forced.out, "\n\nsept"));
  }
  const Outcome aligned = heddle_run(command + " --alignment --scores");
  std::istringstream lines(aligned.out);
  for (std::string line; std::getline(lines, line);) {
    CHECK(std::ranges::count(line, '\t') == 2);
    CHECK(std::stod(line) <= 0.0);
  }
  CHECK(contains(aligned.out, "0.0000\t\t\n"));
  CHECK(contains(aligned.out, "-0 "));
  write_bytes(prefixes, "six\n");
  check_failure(command, 4,
                "heddle: " + prefixes.string() + " ends after line 1, but " + in.string() +
                    " has more lines; give as many prefixes");
  write_bytes(prefixes, "six\n\nun\xff\n");
  const Outcome repaired = heddle_run(command);
  CHECK(repaired.code == 0);
  CHECK(contains(repaired.err, "heddle: 1 of 3 lines of " + prefixes.string() +
                                   " are not valid UTF-8, the first is line 3 (byte 3)\n"));
  write_bytes(prefixes, "six\n\nun\xEF\xBF\xBD\n");
  CHECK(heddle_run(command).out == repaired.out);
  write_bytes(prefixes, "six\n\n\n\n");
  const Outcome more = heddle_run(command);
  CHECK(more.code == 4);
  CHECK(lines_in(more.out) == "3");
  CHECK(more.err.ends_with("heddle: " + prefixes.string() + " has more lines than " + in.string() +
                           ", which ends after line 3\n"));
}

TEST_CASE("cli translate: an output begins with its prefix as it was given") {
  for (const char* type : {"word", "character", "byte", "subword"}) {
    CAPTURE(std::string(type));
    SmallRun small;
    const std::string size = type == std::string("subword") ? R"(, "vocab_size": 40)" : "";
    small.train({.set = {"data.tokenizer={\"type\": \"" + std::string(type) + "\"" + size + "}",
                         "data.max_length=80", "train.steps=3"}});
    const fs::path in = small / "in", prefixes = small / "prefixes";
    write_bytes(in, "un deux\nhuit\nsix\nsept\n");
    write_bytes(prefixes, "six Özgür  sept \n\nsept six\nｓｉｘ\u00A0un\n");
    const Outcome prefixed =
        heddle_run("translate " + (small / "run").string() + " --input " + in.string() +
                   " --prefix " + prefixes.string() + " --alignment --max-length 9");
    CHECK(prefixed.code == 0);
    std::istringstream lines(prefixed.out);
    for (const char* start : {"six Özgür  sept", "", "sept six", "ｓｉｘ\u00A0un"}) {
      std::string line;
      REQUIRE(std::getline(lines, line));
      CHECK(line.starts_with(start));
      CHECK_FALSE(contains(line.substr(0, std::string(start).size() + 3), "   "));
      // The last word that is aligned is the last one of the text.
      const std::string text = line.substr(0, line.find('\t'));
      int words = 0;
      std::istringstream blanks(text);
      for (std::string word; std::getline(blanks, word, ' ');) words += word.empty() ? 0 : 1;
      const std::string last = "-" + std::to_string(words - 1);
      CHECK((words == 0 || line.ends_with(last)));
    }
    const fs::path blank = small / "blank";
    write_bytes(blank, " \n\t \u00A0\n\u3000\n");
    const std::string on_blank = (small / "run").string() + " --input " + blank.string();
    const Outcome empty = heddle_run("translate " + on_blank);
    CHECK(empty.out == "\n\n\n");
    CHECK(heddle_run("score " + (small / "run").string() + " --source " + blank.string() +
                     " --target " + (small / "blank").string())
              .out == "nan\t0\nnan\t0\nnan\t0\n");
    const bool knows_all = type == std::string("byte");
    CHECK(contains(prefixed.err,
                   " prefixes hold characters or words that the model does not know, "
                   "the first is line 1; the outputs begin with them as given") != knows_all);
  }
}

TEST_CASE("cli translate: columns are cut at tabs, and a tab in a translation is a blank there") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path in = small / "in_tabs", prefixes = small / "prefixes_tabs";
  write_bytes(in, "un\n");
  write_bytes(prefixes, "six\tsept\n");
  const std::string command = "translate " + run + " --input " + in.string() + " --prefix " +
                              prefixes.string() + " --max-length 3";
  CHECK(heddle_run(command).out.starts_with("six\tsept"));
  for (const auto& [options, tabs] : {std::pair{" --scores", 1}, std::pair{" --alignment", 1},
                                      std::pair{" --n-best 2 --beam 2 --alignment", 3}}) {
    const std::string out = heddle_run(command + options).out;
    const std::string line = out.substr(0, out.find('\n'));
    CHECK(std::ranges::count(line, '\t') == tabs);
    CHECK(contains(line, "six sept"));
  }
}

TEST_CASE("cli translate: UTF-16 is refused") {
  const SmallRun& small = trained();
  const fs::path in = small / "in_utf16";
  write_bytes(in, std::string("u\0n\0\n\0s\0i\0x\0\n\0", 14));
  check_failure("translate " + (small / "run").string() + " --input " + in.string(), 4,
                "heddle: " + in.string() +
                    ": looks like UTF-16LE, not UTF-8; convert it, for example with iconv -f "
                    "UTF-16LE -t UTF-8");
}
