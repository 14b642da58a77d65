#include "autograd/base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "autograd/base/nearest.h"
#include "autograd/base/sequences.h"
#include "tests/support/throws.h"

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
