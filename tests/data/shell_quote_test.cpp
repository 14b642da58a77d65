// A quoted word is what a shell gives back, and stays as it is where it needs no quotes.
#include <doctest/doctest.h>
#include <stdio.h>

#include <array>
#include <string>

#include "data/shell_quote.h"
#include "data/utf8.h"

using namespace heddle;

namespace {

/// What the shell makes of a word.
std::string read_by_shell(const std::string& word) {
  FILE* const shell = ::popen(("printf %s " + word).c_str(), "r");
  REQUIRE(shell != nullptr);
  std::array<char, 256> bytes{};
  const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), shell);
  REQUIRE(::pclose(shell) == 0);
  return {bytes.data(), count};
}

}  // namespace

TEST_CASE("shell quote: plain words stay as they are") {
  for (const char* word : {"runs/toy", "a-b_c.json", "train.steps=9", "a,b:c@d+e%f"}) {
    CHECK(shell_quoted(word) == word);
  }
  CHECK(shell_quoted("my run") == "'my run'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
  CHECK(shell_quoted("") == "''");
  CHECK(shell_path("-x") == "./-x");
  CHECK(shell_path("- x") == "'./- x'");
  CHECK(shell_quoted("caf\xC3\xA9") == "'caf\xC3\xA9'");
  CHECK(shell_quoted("caf\xE9 1") == "\"$(printf 'caf\\351 1')\"");
}

TEST_CASE("shell quote: a shell reads each word back, and a terminal shows it as it is") {
  for (const std::string word : {"",
                                 " ",
                                 "a b",
                                 "it's",
                                 "''",
                                 "a\"b",
                                 "$HOME",
                                 "`date`",
                                 "a\\b",
                                 "*",
                                 "~",
                                 "~root",
                                 "#a",
                                 "a#b",
                                 "!!",
                                 "a;b",
                                 "a&b",
                                 "a|b",
                                 "a>b",
                                 "(a)",
                                 "{a,b}",
                                 "[a]",
                                 "a?",
                                 "a\tb",
                                 "a\nb",
                                 "\xE9",
                                 "a\xE9'\\%s\"$b",
                                 "\x1B]0;x\x07",
                                 "\x7F",
                                 "caf\xC3\xA9",
                                 "\xF0\x9F\x98\x80",
                                 "%d"}) {
    const std::string quoted = shell_quoted(word);
    CAPTURE(quoted);
    CHECK(read_by_shell(quoted) == word);
    CHECK(visible(quoted) == quoted);
  }
}
