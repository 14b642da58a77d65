// heddle score from outside: log-probabilities and alignments of given pairs.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/runs.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

TEST_CASE("cli score: the log-probability of each pair, alone or among others") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  const fs::path source = small / "score.src", target = small / "score.tgt";
  write_bytes(source, "un deux trois\n\nhuit six\nsept\n");
  const std::string score = "score " + run + " --source " + source.string() + " --target ";
  write_bytes(target, "trois deux un\n\nsix huit\nsept\n");
  const Outcome all = heddle_run(score + target.string());
  CHECK(all.code == 0);
  CHECK(std::ranges::count(all.out, '\n') == 4);
  CHECK(contains(all.out, "\nnan\t0\n"));
  CHECK(all.err == "heddle: 1 of 4 pairs have an empty side or are too long for the model\n");
  CHECK(heddle_run(score + target.string() + " --threads 3").out == all.out);
  // The sum is the loss that evaluate prints.
  double sum = 0.0;
  std::int64_t tokens = 0;
  std::istringstream lines(all.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("nan")) continue;
    sum += std::stod(line);
    tokens += std::stol(line.substr(line.find('\t')));
  }
  const auto json =
      nlohmann::json::parse(heddle_run("evaluate " + run + " --json --source " + source.string() +
                                       " --reference " + target.string())
                                .out);
  CHECK(json.at("target_tokens") == tokens);
  CHECK(json.at("loss").get<double>() * static_cast<double>(tokens) ==
        doctest::Approx(-sum).epsilon(1e-4));
  write_bytes(source, "sept\n");
  const std::string last = all.out.substr(all.out.rfind('\n', all.out.size() - 2) + 1);
  write_bytes(target, "sept\n");
  CHECK(heddle_run(score + target.string()).out == last);
  write_bytes(target, "a\nb\n");
  check_failure(score + target.string(), 4,
                "heddle: " + source.string() + " has 1 lines, but " + target.string() +
                    " has 2; line n of one must belong to line n of the other");
  write_bytes(target, "se\xffpt\n");
  const Outcome latin = heddle_run(score + target.string());
  CHECK(latin.code == 0);
  CHECK(latin.err == "heddle: 1 of 1 lines of " + target.string() +
                         " are not valid UTF-8, the first is line 1 (byte 3)\n");
  write_bytes(target, "se\xEF\xBF\xBDpt\n");
  CHECK(heddle_run(score + target.string()).out == latin.out);
}

TEST_CASE("cli score: the alignments of a model's own translations are those of translate") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string(), source = (small / "valid.src").string();
  std::istringstream lines(heddle_run("translate " + run + " --alignment < " + source).out);
  std::string translations, alignments;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    translations.append(line, 0, tab).append("\n");
    alignments.append(line, tab + 1).append("\n");
  }
  CHECK(contains(alignments, "-0 "));
  write_bytes(small / "own.tgt", translations);
  const std::string score = "score " + run + " --source " + source + " --target " +
                            (small / "own.tgt").string() + " --alignment --threads ";
  const Outcome scored = heddle_run(score + "1");
  CHECK(scored.code == 0);
  CHECK(heddle_run(score + "3").out == scored.out);
  std::istringstream rows(scored.out);
  std::string third;
  for (std::string row; std::getline(rows, row);) {
    third.append(row, row.find('\t', row.find('\t') + 1) + 1).append("\n");
  }
  CHECK(third == alignments);
  write_bytes(small / "empty.tgt", std::string(40, '\n'));
  const Outcome unread = heddle_run("score " + run + " --source " + source + " --target " +
                                    (small / "empty.tgt").string() + " --alignment");
  CHECK(unread.out.starts_with("nan\t0\t\nnan\t0\t\n"));
}
