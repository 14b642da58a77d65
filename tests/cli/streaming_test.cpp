// Text through pipes: a conversation line by line, much text in little memory, readers that go
// away, and what is no text.
#include <doctest/doctest.h>

#include <map>
#include <sstream>
#include <thread>

#include "cli/line_stream.h"
#include "cli/text_streams.h"
#include "data/line_reader.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "tests/support/sanitized.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(line).append("\n");
  return text;
}

}  // namespace

TEST_CASE("cli translate: answers each line while more may come") {
  const SmallRun& small = trained();
  const std::string expected =
      heddle_run("translate " + (small / "run").string() + " < " + (small / "valid.src").string())
          .out;
  std::istringstream sources(small.bytes("valid.src")), answers(expected);
  Process process({"translate", (small / "run").string()}, small / "err");
  int asked = 0;
  for (std::string line, answer; std::getline(sources, line); ++asked) {
    process.write(line + "\n");
    REQUIRE(std::getline(answers, answer));
    REQUIRE(process.read_line() == answer + "\n");
  }
  CHECK(asked == 40);
  process.write("un\ndeux\n\ntrois");  // four lines at once, the last without an end
  process.close_input();
  for (int i = 0; i < 4; ++i) CHECK(process.read_line().ends_with("\n"));
  CHECK(process.read_line() == "");
  CHECK(process.exit_code() == 0);
}

TEST_CASE("cli translate: much text comes in order, in memory that does not grow") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  Lines distinct = lines_of(small.bytes("valid.src"));
  distinct.emplace_back();
  write_bytes(small / "distinct", text_of(distinct));
  const Lines answers =
      lines_of(heddle_run("translate " + run + " < " + (small / "distinct").string()).out);
  REQUIRE(answers.size() == distinct.size());
  // A line and its number never come together again before all others have.
  const auto which = [&](std::size_t i) { return (i + i / distinct.size()) % distinct.size(); };
  Process process({"translate", run, "--threads", "2"}, small / "err_much");
  std::size_t peak = 0;
  for (const std::size_t count : {std::size_t{4000}, std::size_t{26000}}) {
    std::thread writer([&] {
      for (std::size_t i = 0; i < count; i += 1000) {
        std::string text;
        for (std::size_t j = i; j < i + 1000; ++j) text += distinct[which(j)] + "\n";
        process.write(text);
      }
    });
    std::size_t right = 0;
    for (std::size_t i = 0; i < count; ++i) {
      right += process.read_line() == answers[which(i)] + "\n" ? 1 : 0;
    }
    writer.join();
    CHECK(right == count);
    const std::size_t before = std::exchange(peak, process.peak_bytes());
    CHECK(peak > 0);
    // 22,000 further lines and what is known about their translations would be 10 MiB.
    if (before > 0 && !kSanitized) CHECK(peak < before + (std::size_t{5} << 20));
  }
  process.close_input();
  CHECK(process.read_line() == "");
  CHECK(process.exit_code() == 0);
}

TEST_CASE("cli: a reader who goes away ends the program") {
  const SmallRun& small = trained();
  const std::string run = (small / "run").string();
  Lines lines;
  for (int i = 0; i < 1000; ++i) {
    for (const std::string& line : lines_of(small.bytes("valid.src"))) lines.push_back(line);
  }
  write_bytes(small / "many", text_of(lines));
  const std::string many = (small / "many").string(), one = (small / "valid.src").string();
  const std::vector<Lines> commands = {{"translate", run, "--input", many},
                                       {"score", run, "--source", many, "--target", many},
                                       {"evaluate", run, "--source", one, "--reference", one}};
  for (const Lines& command : commands) {
    CAPTURE(command.front());
    for (const bool ignored : {false, true}) {
      const std::string err_name = "err_" + command.front() + (ignored ? "_ignored" : "");
      const fs::path err = small / err_name.c_str();
      Process process(command, err, ignored ? SIG_IGN : SIG_DFL);
      if (command.front() != "evaluate") CHECK(process.read_line().ends_with("\n"));
      process.close_output();
      CHECK(process.exit_code() == (ignored ? 5 : -SIGPIPE));
      // What evaluate has to say of the translations it says before.
      const std::string said = read_bytes(err), broken = "standard output: Broken pipe\n";
      CHECK(said.ends_with(broken) == ignored);
      if (command.front() != "evaluate") {
        CHECK(said == (ignored ? "heddle: cannot write to " + broken : ""));
      }
    }
  }
}

TEST_CASE("cli translate: lines of unknown symbols only are answered, each at its place") {
  for (const char* tokenizer : {"word", "subword", "character", "byte"}) {
    CAPTURE(tokenizer);
    SmallRun small;
    small.train(
        {.set = {std::string("data.tokenizer={\"type\": \"") + tokenizer +
                     (tokenizer == std::string("subword") ? "\", \"vocab_size\": 40}" : "\"}"),
                 "train.steps=2"}});
    const std::string translate = "translate " + (small / "run").string() + " --input ";
    const Lines lines = {
        "@@@ ###", "un",     "",         "\u65E5\u672C \u8A9E",  " ", "\t", "\u2047",
        "\u00AD",  "\u200B", "\xFF\xFE", std::string("a\0b", 3), "un"};
    write_bytes(small / "all", text_of(lines));
    const Lines answers = lines_of(heddle_run(translate + (small / "all").string()).out);
    REQUIRE(answers.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(lines[i]);
      write_bytes(small / "alone", lines[i] + "\n");
      CHECK(heddle_run(translate + (small / "alone").string()).out == answers[i] + "\n");
    }
  }
}

TEST_CASE("cli translate: what is no text is refused, after the lines before it") {
  const SmallRun& small = trained();
  const std::string translate = "translate " + (small / "run").string();
  const std::string zipped = (small / "zipped").string(), long_line = (small / "long").string();
  write_bytes(zipped, "\x1f\x8b\x08\n\n");
  check_failure(translate + " --input " + zipped, 4,
                "heddle: " + zipped +
                    ": is compressed with gzip; unpack it first, for example "
                    "with zcat");
  write_bytes(long_line, "un\n" + std::string(heddle::LineReader::kLongestLine + 100, 'x'));
  const Outcome outcome = heddle_run(translate + " < " + long_line);
  CHECK(outcome.code == 4);
  CHECK(std::ranges::count(outcome.out, '\n') == 1);
  CHECK(outcome.err ==
        "heddle: standard input:2: a line of more than 64 MiB; is this text with a sentence on "
        "each line?\n");
}

TEST_CASE("line stream: windows of lines, whatever pieces they come in") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  heddle::LineStream stream(pipe[0], "the pipe");
  const auto write = [&](const std::string& text) {
    REQUIRE(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  const std::string mark = "\xEF\xBB\xBF";  // of byte order: only in front
  write(mark + "a\nb\r\n\n" + mark + "c");
  CHECK(stream.next(10, 1) == Lines{"a", "b", ""});
  write("d\n1\n2\n3\n");
  CHECK(stream.next(2, 1) == Lines{mark + "cd", "1"});
  CHECK(stream.next(10, 1) == Lines{"2", "3"});
  write(std::string(50000, 'x'));
  write("\nlast");
  ::close(pipe[1]);
  CHECK(stream.next(10, 1) == Lines{std::string(50000, 'x'), "last"});
  CHECK(stream.next(10, 1).empty());
  ::close(pipe[0]);
  heddle::LineStream closed(pipe[0], "the pipe");
  CHECK(contains(failure([&] { closed.next(1, 1); }), "cannot read the pipe: "));
}

TEST_CASE("line stream: at most a megabyte together, and pipes that do not wait") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_NONBLOCK) == 0);
  heddle::LineStream stream(pipe[0], "the pipe");
  const std::string line(heddle::LineStream::kMostBytes * 3 / 4, 'x');
  std::thread writer([&] {
    heddle::Output output("--output", "/proc/self/fd/" + std::to_string(pipe[1]), {});
    for (int i = 0; i < 3; ++i) output.write(line + "\n");
    ::close(pipe[1]);
  });
  // They may come one by one, but never all at once.
  for (std::size_t lines = 0; lines < 3;) {
    const std::size_t together = stream.next(10, 1000).size();
    CHECK((together == 1 || together == 2));
    lines += std::max<std::size_t>(1, together);
  }
  writer.join();
  CHECK(stream.next(10, 1).empty());
  ::close(pipe[0]);
}

TEST_CASE("window: as many lines as a second lets through, within bounds") {
  heddle::Window window;
  CHECK(window.lines() == 64);
  window.begin();
  window.end(1 << 30);
  CHECK(window.lines() == 2048);
  window.begin();
  window.end(0);
  CHECK(window.lines() == 64);
}
