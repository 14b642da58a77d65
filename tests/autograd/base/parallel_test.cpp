#include "autograd/base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/cpu_quota.h"
#include "autograd/base/nearest.h"
#include "autograd/base/sequences.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

namespace {

/// The quota where the groups of the process are `list`, and these files are in the file system of
/// control groups.
std::optional<double> quota_with(const std::string& list,
                                 const std::vector<std::pair<std::string, std::string>>& files) {
  const heddle::testing::TemporaryFolder folder;
  heddle::testing::write_bytes(folder / "self", list);
  for (const auto& [path, text] : files) {
    const std::filesystem::path file = folder / "root" / path;
    std::filesystem::create_directories(file.parent_path());
    heddle::testing::write_bytes(file, text);
  }
  return heddle::cpu_quota(folder / "root", folder / "self");
}

}  // namespace

TEST_CASE("parallel_for covers the range once, in blocks that depend on the length alone") {
  for (const std::int64_t count : {0, 1, 7, 64, 65, 1000}) {
    for (const int threads : {1, 2, 3, 4}) {
      std::vector<int> visits(static_cast<std::size_t>(count), 0);
      std::atomic<bool> aligned{true};
      heddle::parallel_for(threads, count, 64, [&](std::int64_t begin, std::int64_t end) {
        if (begin % 64 != 0 || end != std::min<std::int64_t>(count, begin + 64)) aligned = false;
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      CHECK(aligned);
      CHECK(std::count(visits.begin(), visits.end(), 1) == count);
    }
  }
}

TEST_CASE("all lanes run, and the lowest lane's exception comes back") {
  std::vector<int> ran(5, 0);
  heddle::run_lanes(5, 2, 1, [&](int lane) { ++ran[static_cast<std::size_t>(lane)]; });
  CHECK(ran == std::vector<int>(5, 1));
  std::atomic<int> finished{0};
  const auto run = [&] {
    heddle::run_lanes(4, 2, 2, [&](int lane) {
      ++finished;
      heddle::check(lane != 1 && lane != 3, "lane ", lane, " failed");
    });
  };
  CHECK_MESSAGE_THROWN(run(), "lane 1 failed");
  CHECK(finished == 4);
}

TEST_CASE("lanes may have threads of their own") {
  std::vector<std::int64_t> sums(2, 0);
  heddle::run_lanes(2, 2, 2, [&](int lane) {
    std::vector<std::int64_t> parts(10, 0);
    heddle::parallel_for(2, 100, 10, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) parts[static_cast<std::size_t>(begin / 10)] += i;
    });
    for (const std::int64_t part : parts) sums[static_cast<std::size_t>(lane)] += part;
  });
  CHECK(sums == std::vector<std::int64_t>(2, 4950));
}

TEST_CASE("sequences are packed without gaps") {
  const std::vector<std::int32_t> lengths{3, 1, 4};
  const auto sequences = heddle::packed(lengths);
  CHECK(sequences[2].begin == 4);
  CHECK(heddle::total_length(sequences) == 8);
  heddle::check_sequences("attention", sequences, 8);
  CHECK_MESSAGE_THROWN(heddle::check_sequences("attention", sequences, 9),
                       "attention: the sentences hold 8 tokens, the tensor 9 rows");
  CHECK_MESSAGE_THROWN(heddle::check_sequences("attention", {}, 0), "holds no sentence");
  const std::vector<heddle::Sequence> gap{{0, 2}, {3, 1}};
  CHECK_MESSAGE_THROWN(heddle::check_sequences("attention", gap, 4),
                       "sentence 1 begins at row 3, not at row 2");
  const std::vector<heddle::Sequence> empty{{0, 2}, {2, 0}};
  CHECK_MESSAGE_THROWN(heddle::check_sequences("attention", empty, 2), "sentence 1 is empty");
}

TEST_CASE("a misspelt name gets the nearest known one") {
  const std::vector<std::string_view> known{"encoder", "decoder", "dropout"};
  CHECK(heddle::suggestion("encodr", known) == "; did you mean \"encoder\"?");
  CHECK(heddle::suggestion("dorpout", known) == "; did you mean \"dropout\"?");
  CHECK(heddle::suggestion("warmup", known) == "");
  CHECK(heddle::suggestion("x", {}) == "");
}

TEST_CASE("cpu quota: version 2, of the group and those around it") {
  const std::string list = "0::/a/b\n";
  CHECK_FALSE(quota_with(list, {}));
  CHECK_FALSE(quota_with(list, {{"a/b/cpu.max", "max 100000\n"}}));
  CHECK(quota_with(list, {{"a/b/cpu.max", "150000 100000\n"}}) == 1.5);
  CHECK(quota_with(list, {{"a/b/cpu.max", "max 100000\n"}, {"a/cpu.max", "300000 100000\n"}}) ==
        3.0);
  CHECK(quota_with(list, {{"a/b/cpu.max", "800000 100000\n"}, {"cpu.max", "50000 100000\n"}}) ==
        0.5);  // the root of a container
  CHECK_FALSE(quota_with(list, {{"other/cpu.max", "1000 100000\n"}}));
  CHECK(quota_with("0::/../../x\n", {{"cpu.max", "200000 100000\n"}}) == 2.0);
}

TEST_CASE("cpu quota: version 1, also where the path is the host's") {
  const auto with = [](const std::string& list, const std::string& group, const char* quota) {
    return quota_with(
        list, {{group + "/cpu.cfs_quota_us", quota}, {group + "/cpu.cfs_period_us", "100000\n"}});
  };
  const std::string list = "5:memory:/m\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/s\n0::/u\n";
  for (const char* group :
       {"cpu,cpuacct/docker/x", "cpu,cpuacct/docker", "cpu,cpuacct", "cpu/docker/x"}) {
    CAPTURE(group);
    CHECK(with(list, group, "250000\n") == 2.5);
    CHECK_FALSE(with(list, group, "-1\n"));
  }
  CHECK_FALSE(with(list, "memory/m", "250000\n"));
}

TEST_CASE("cpu quota: what cannot be read is none, and threads fill a quota") {
  CHECK_FALSE(heddle::cpu_quota("/nowhere", "/nowhere"));
  for (const char* list : {"", "\n", "0", "0:", "::", "x::/a\n", "0::/\n"}) {
    CAPTURE(list);
    CHECK_FALSE(quota_with(list, {}));
  }
  for (const char* text : {"", "max", "50000", "no 100000", "0 100000", "-5 100000", "5 0"}) {
    CAPTURE(text);
    CHECK_FALSE(quota_with("0::/\n", {{"cpu.max", text}}));
  }
  CHECK(heddle::threads_within({}, 8) == 8);
  CHECK(heddle::threads_within(0.1, 8) == 1);
  CHECK(heddle::threads_within(1.5, 8) == 2);
  CHECK(heddle::threads_within(2.0, 8) == 2);
  CHECK(heddle::threads_within(1e300, 8) == 8);
}
