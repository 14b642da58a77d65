#include "train/plot/page.h"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"
#include "tests/support/xml.h"

using namespace heddle;
using heddle::testing::contains;
using heddle::testing::count;
using heddle::testing::xml_error;

namespace {

RunHistory history(const std::string& name, std::int64_t points) {
  RunHistory run;
  run.name = name;
  for (std::int64_t i = 1; i <= points; ++i) {
    const auto value = static_cast<double>(i % 997);
    for (const char* quantity : {"loss", "learning_rate", "gradient_norm", "tokens_per_second"}) {
      run.train[quantity].push_back({i, value});
    }
    run.validation["loss"].push_back({i, value});
    run.validation["bleu"].push_back({i, value});
  }
  run.best = 1;
  return run;
}

/// Nothing in it is fetched: the only addresses are names of XML.
void check_self_contained(const std::string& text) {
  CHECK(xml_error(text) == "");
  CHECK(count(text, "://") == count(text, "xmlns=\"http://www.w3.org/2000/svg\""));
  for (const char* part : {"<script", "<link", "@import", "url(", "src=", "href="}) {
    CAPTURE(part);
    CHECK_FALSE(contains(text, part));
  }
}

}  // namespace

TEST_CASE("plot page: one file, well-formed, light and dark") {
  const RunHistory run = history("a<b>&\"c\"", 30);
  const std::string page = html_page({&run, 1});
  check_self_contained(page);
  CHECK(page.starts_with("<!DOCTYPE html>\n"));
  CHECK(contains(page, "<title>Learning curves of a&lt;b&gt;&amp;&quot;c&quot;</title>"));
  CHECK(contains(page, "prefers-color-scheme: dark"));
  CHECK(count(page, "viewBox") == 5);
  CHECK(count(page, "A ring marks") == 1);
  CHECK(contains(page, "update 30: 30</title>"));
}

TEST_CASE("plot page: an image on white") {
  const RunHistory run = history("a<b>", 30);
  const std::string image = svg_image({&run, 1});
  check_self_contained(image);
  CHECK(image.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1120\" height=\""));
  CHECK(contains(image, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"));
  CHECK_FALSE(contains(image, "prefers-color-scheme"));
  CHECK(count(image, "class=\"title\"") == 1 + 5);
}

TEST_CASE("plot page: several runs are named in full, with their lines") {
  const std::vector<RunHistory> runs = {history("first", 3), history("second", 5)};
  for (const std::string& text : {html_page(runs), svg_image(runs)}) {
    check_self_contained(text);
    CHECK(contains(text, "3 updates; best validation at update 1: loss"));
    CHECK(contains(text, "5 updates; best validation at update 1: loss"));
    CHECK(contains(text, "\"line c0 d0\" x1=\"2\""));
    CHECK(contains(text, "\"line c1 d0\" x1=\"2\""));
  }
}

TEST_CASE("plot page: losses that cannot be compared are said so") {
  RunHistory run = history("toy", 3);
  for (const bool smoothed : {false, true}) {
    run.smoothed = smoothed;
    for (const std::string& text : {html_page({&run, 1}), svg_image({&run, 1})}) {
      CHECK(count(text, "compare validations with validations") == (smoothed ? 1 : 0));
    }
  }
}

TEST_CASE("plot page: its size has a bound") {
  const RunHistory run = history("long", 100000);
  CHECK(html_page({&run, 1}).size() < 300000);
  CHECK(svg_image({&run, 1}).size() < 150000);
}
