// Options that take a number: each of every verb, found in its --help, refuses what is none, what
// its type does not hold and what is outside its bounds.
#include <doctest/doctest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.h"

using heddle::testing::contains;
using heddle::testing::heddle_run;
using heddle::testing::Outcome;

namespace {

constexpr const char* kVerbs[] = {"train", "translate", "evaluate", "score",  "average",
                                  "bench", "inspect",   "plot",     "config", "gradcheck"};

struct NumericOption {
  std::string name, least, most;
  bool whole = true;
};

/// From the text of --help: "--beam N, 1 to 256".
std::vector<NumericOption> numeric_options(const std::string& help) {
  static const std::regex pattern("  (--[a-z-]+) (N|X), ([0-9.]+) to ([0-9.]+)");
  std::vector<NumericOption> options;
  for (std::sregex_iterator at(help.begin(), help.end(), pattern), end; at != end; ++at) {
    options.push_back({(*at)[1], (*at)[3], (*at)[4], (*at)[2] == "N"});
  }
  return options;
}

}  // namespace

TEST_CASE("cli numbers: every numeric option refuses what its type or range does not hold") {
  std::size_t found = 0;
  for (const char* verb : kVerbs) {
    const std::string help = heddle_run(std::string(verb) + " --help").out;
    // No option is read by the library's own rules.
    for (const char* type : {" INT", " UINT", " FLOAT"}) CHECK_FALSE(contains(help, type));
    for (const NumericOption& option : numeric_options(help)) {
      ++found;
      std::vector<std::string> words = {"-1", "18446744073709551616", "nan", "''"};
      words.push_back(option.least + "x");
      words.push_back(option.whole ? "1.5" : "inf");
      for (const std::string& word : words) {
        const std::string arguments = std::string(verb) + " " + option.name + " " + word;
        CAPTURE(arguments);
        const Outcome outcome = heddle_run(arguments);
        CHECK(outcome.code == 2);
        CHECK(outcome.out == "");
        CHECK(outcome.err == "heddle: " + option.name + ": expected " +
                                 (option.whole ? "an integer" : "a number") + " from " +
                                 option.least + " to " + option.most + ", got " +
                                 (word == "''" ? "an empty word" : word) + "; see heddle " + verb +
                                 " --help\n");
      }
    }
  }
  CHECK(found == 29);
}

TEST_CASE("cli numbers: what is a number is taken as it is written") {
  // The model is looked for only after the numbers have been read.
  const auto taken = [](const std::string& option) {
    const Outcome outcome = heddle_run("translate nowhere " + option);
    CAPTURE(option);
    CHECK(outcome.code == 5);
    CHECK(outcome.err == "heddle: nowhere: there is no such model\n");
  };
  taken("--beam 256");
  taken("--beam +1");
  taken("--beam 010");  // ten, not eight
  taken("--length-penalty 1e-3");
  taken("--length-penalty -0");
  taken("--sample --seed 18446744073709551615");
  taken("--sample --seed=0");
  for (const char* word : {"0x10", "--1", "+-1", "1e2", "1,000", "' 1'", "'1 '", "inf", "9e99"}) {
    CAPTURE(word);
    CHECK(heddle_run(std::string("translate nowhere --beam=") + word).code == 2);
  }
  for (const char* word : {"0x1", "-nan", "infinity", "1e400", "' 1'", "1f", "."}) {
    CAPTURE(word);
    CHECK(heddle_run(std::string("translate nowhere --length-penalty=") + word).code == 2);
  }
}
