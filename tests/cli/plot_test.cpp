// heddle plot from outside: what it writes, where, and what it says of folders that are no runs.
#include <doctest/doctest.h>

#include "tests/support/places.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "tests/support/xml.h"

using namespace heddle;
using namespace heddle::testing;
namespace fs = std::filesystem;

TEST_CASE("cli plot: a page and an image of a run") {
  SmallRun small;
  small.train({.set = {"train.best_by=exact"}});
  const fs::path run = small / "run";
  const Outcome page = heddle_run("plot " + run.string() + "/");
  CHECK(page.code == 0);
  CHECK(page.err == "");
  CHECK(page.out == (run / "curves.html").string() + "\n");
  const std::string html = small.bytes("run/curves.html");
  CHECK(xml_error(html) == "");
  for (const char* part : {"Learning curves of run", "12 updates; best validation at update ",
                           ": Exact match ", "Learning rate", "Gradient norm", "Speed"}) {
    CAPTURE(part);
    CHECK(contains(html, part));
  }
  for (const char* update : {"4", "8", "12"}) {
    CHECK(count(html, std::string("run, training, update ") + update + ": ") == 1);
  }

  const Outcome image = heddle_run("plot --svg " + run.string());
  CHECK(image.out == (run / "curves.svg").string() + "\n");
  const std::string svg = small.bytes("run/curves.svg");
  CHECK(xml_error(svg) == "");
  CHECK(svg.starts_with("<svg "));
  const std::string named = (small / "by its name.svg").string();
  CHECK(heddle_run("plot " + run.string() + " --output '" + named + "'").out == named + "\n");
  CHECK(small.bytes("by its name.svg") == svg);
}

TEST_CASE("cli plot: a run that was stopped, goes on and is being written") {
  SmallRun small;
  // Whether to stop is asked twice before the first update.
  small.train({.stop = after(5 + 2)});
  small.train({.open = RunFolder::Open::kContinue, .stop = after(4 + 2)});
  const std::string run = (small / "run").string();
  const std::string metrics = small.bytes("run/metrics.jsonl");
  write_bytes(small / "run/metrics.jsonl", metrics + "{\"update\":12,\"ki");
  REQUIRE(heddle_run("plot " + run).code == 0);
  const std::string html = small.bytes("run/curves.html");
  CHECK(contains(html, "<li>8 updates; "));
  for (const char* update : {"4", "8"}) {
    CHECK(count(html, std::string("run, training, update ") + update + ": ") == 1);
  }
  CHECK_FALSE(contains(html, "update 12"));
  small.train({.open = RunFolder::Open::kContinue});
  REQUIRE(heddle_run("plot " + run).code == 0);  // in place of the older page
  CHECK(contains(small.bytes("run/curves.html"), "run, training, update 12: "));
}

TEST_CASE("cli plot: several runs in one page, by default in the current folder") {
  const TemporaryFolder folder;
  for (const char* name : {"one & only", "two"}) {
    fs::create_directory(folder / name);
    write_bytes(folder / name / "metrics.jsonl",
                "{\"update\":50,\"kind\":\"train\",\"loss\":5.5}\n");
  }
  const std::string runs =
      "'" + (folder / "one & only").string() + "' " + (folder / "two").string();
  const std::string output = (folder / "both.html").string();
  CHECK(heddle_run("plot " + runs + " --output " + output).out == output + "\n");
  const std::string html = read_bytes(output);
  CHECK(xml_error(html) == "");
  CHECK(contains(html, "<b>one &amp; only</b>: 50 updates"));
  CHECK(contains(html, "<b>two</b>: 50 updates"));

  const std::string there = "cd " + (folder / ".").string() + " && " + program() + " plot ";
  CHECK(std::system((there + "two 'one & only' >out").c_str()) == 0);
  CHECK(read_bytes(folder / "out") == "curves.html\n");
  CHECK(fs::exists(folder / "curves.html"));
  CHECK(std::system((there + ". 2>out").c_str()) != 0);
}

TEST_CASE("cli plot: what is wrong is one sentence") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  fs::create_directory(run);
  check_failure("plot", 2, "heddle: RUN is required; see heddle plot --help");
  check_failure("plot x --output ''", 2,
                "heddle: --output: is no name of a file; see heddle plot --help");
  for (const char* name : {"x.png", "x.html.gz", "x", ".svg", "x.svg.", "svg"}) {
    CAPTURE(name);
    check_failure("plot " + run.string() + " --output " + (folder / name).string(), 2,
                  "heddle: --output: " + (folder / name).string() +
                      " has no ending that names a format; end it in .html for a page or in .svg "
                      "for an image; see heddle plot --help");
    CHECK_FALSE(fs::exists(folder / name));
  }
  check_failure("plot x --svg --output x.html", 2,
                "heddle: --svg: writes an image, but --output x.html is the name of a page; end it "
                "in .svg; see heddle plot --help");
  check_failure("plot nowhere", 5,
                "heddle: nowhere: is no folder of a run: it has no metrics.jsonl");
  write_bytes(run / "metrics.jsonl", "");
  check_failure("plot " + run.string(), 5,
                "heddle: " + (run / "metrics.jsonl").string() +
                    ": holds no measurements yet; the first one comes after train.report_every "
                    "updates");
  write_bytes(run / "metrics.jsonl", "{\"update\":50,\"kind\":\"train\",\"loss\":5.5}\nx\n");
  check_failure(
      "plot " + run.string(), 5,
      "heddle: " + (run / "metrics.jsonl").string() + ":2: is no line of a run's metrics");
  CHECK_FALSE(fs::exists(run / "curves.html"));
}

TEST_CASE("cli plot: an output replaces a file, never a folder or a device") {
  const TemporaryFolder folder;
  const fs::path run = folder / "run";
  fs::create_directory(run);
  write_bytes(run / "metrics.jsonl", "{\"update\":50,\"kind\":\"train\",\"loss\":5.5}\n");
  const std::string plot = "plot " + run.string() + " --output ";
  check_failure(plot + run.string(), 5, "heddle: " + run.string() + ": is a folder, not a file");
  CHECK(heddle_run(plot + "/dev/null").code == 0);
  CHECK(heddle_run(plot + "/dev/stdout").out.starts_with("<!DOCTYPE html>"));
  CHECK(heddle_run(plot + "/dev/stdout --svg").out.starts_with("<svg "));
  CHECK(heddle_run(plot + (folder / "A.SVG").string()).code == 0);
  CHECK(read_bytes(folder / "A.SVG").starts_with("<svg "));
  CHECK(fs::is_character_file("/dev/null"));
  const std::string nowhere = (folder / "none/x.html").string();
  check_failure(plot + nowhere, 5,
                "heddle: cannot write " + nowhere + ": No such file or directory");
  write_bytes(folder / "old.html", "old");
  fs::create_symlink("old.html", folder / "link.html");
  CHECK(heddle_run(plot + (folder / "link.html").string()).code == 0);
  CHECK(fs::is_symlink(folder / "link.html"));
  CHECK(contains(read_bytes(folder / "old.html"), "Learning curves of run"));
}
