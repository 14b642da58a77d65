#include "train/metrics.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/temporary_folder.h"

using namespace heddle;
using heddle::testing::failure;
using heddle::testing::read_bytes;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;

TEST_CASE("metrics: a line per object, in order, numbers as they are") {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsFile file(path, 0);
  file.append(50, {{"loss", 4.5}, {"tokens", std::int64_t{123}}, {"note", "a \"b\"\n"}});
  file.append(100, {{"loss", std::numeric_limits<double>::quiet_NaN()}, {"rate", 0.1}});
  CHECK(read_bytes(path) ==
        "{\"update\":50,\"loss\":4.5,\"tokens\":123,\"note\":\"a \\\"b\\\"\\n\"}\n"
        "{\"update\":100,\"loss\":null,\"rate\":0.1}\n");
}

TEST_CASE("metrics: resuming cuts off what came later, and a torn line") {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  {
    MetricsFile file(path, 0);
    for (const std::int64_t update : {10, 20, 20, 30}) file.append(update, {});
  }
  const std::string kept = "{\"update\":10}\n{\"update\":20}\n{\"update\":20}\n";
  {
    MetricsFile file(path, 25);
    CHECK(read_bytes(path) == kept);
    file.append(26, {});
  }
  CHECK(read_bytes(path) == kept + "{\"update\":26}\n");
  write_bytes(path, kept + "{\"upda");
  MetricsFile(path, 99).append(27, {});
  CHECK(read_bytes(path) == kept + "{\"update\":27}\n");
  const std::string validation = "{\"update\":30,\"kind\":\"validation\"}\n";
  write_bytes(path, kept + "{\"update\":30,\"kind\":\"train\"}\n" + validation);
  MetricsFile(path, 30);
  CHECK(read_bytes(path).ends_with(validation));
  MetricsFile(path, 30, /*validated=*/false);
  CHECK(read_bytes(path) == kept + "{\"update\":30,\"kind\":\"train\"}\n");
  write_bytes(path, "no json\n{\"update\":1}\n");
  MetricsFile(path, 99);
  CHECK(read_bytes(path) == "");
  const auto nowhere = folder / "none/metrics.jsonl";
  CHECK(failure([&] { MetricsFile(nowhere, 0); }) ==
        "cannot write " + nowhere.string() + ": No such file or directory");
}
