// Batches come in order, at most two ahead, with errors in their place and a clean end.
#include "data/prefetch.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>

#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using std::chrono::milliseconds;

/// Batches whose line is their number.
struct Counter {
  std::atomic<std::int64_t> made{0};
  std::int64_t last = std::numeric_limits<std::int64_t>::max();

  void operator()(Batch& batch) {
    check<DataError>(made < last, "no more");
    batch.lines.assign(1, made);
    ++made;
  }
  std::function<void(Batch&)> function() {
    return [this](Batch& batch) { (*this)(batch); };
  }
};

bool reaches(const std::atomic<std::int64_t>& value, std::int64_t goal) {
  for (int i = 0; i < 2'000 && value < goal; ++i) std::this_thread::sleep_for(milliseconds(1));
  return value == goal;
}

TEST_CASE("prefetch: in order, and a batch stays as it is until the next is asked for") {
  Counter counter;
  Prefetcher prefetcher(counter.function());
  for (std::int64_t i = 0; i < 2'000; ++i) {
    const Batch& batch = prefetcher.next();
    CHECK(batch.lines[0] == i);
    if (i % 100 == 0) {
      CHECK(reaches(counter.made, i + 3));
      CHECK(batch.lines[0] == i);
    }
  }
}

TEST_CASE("prefetch: two batches ahead, not more") {
  Counter counter;
  Prefetcher prefetcher(counter.function());
  CHECK(reaches(counter.made, 2));
  std::this_thread::sleep_for(milliseconds(20));
  CHECK(counter.made == 2);
  prefetcher.next();
  CHECK(reaches(counter.made, 3));
  std::this_thread::sleep_for(milliseconds(20));
  CHECK(counter.made == 3);
}

TEST_CASE("prefetch: an error comes after the batches before it, and stays") {
  for (const std::int64_t last : {0, 1, 2, 5}) {
    Counter counter;
    counter.last = last;
    Prefetcher prefetcher(counter.function());
    std::this_thread::sleep_for(milliseconds(5));
    for (std::int64_t i = 0; i < last; ++i) CHECK(prefetcher.next().lines[0] == i);
    CHECK_THROWS_AS(prefetcher.next(), DataError);
    CHECK_MESSAGE_THROWN(prefetcher.next(), "no more");
  }
}

TEST_CASE("prefetch: ends at any time") {
  for (int taken = 0; taken < 6; ++taken) {
    for (const int wait : {0, 2}) {
      Counter counter;
      {
        Prefetcher prefetcher(counter.function());
        for (int i = 0; i < taken; ++i) prefetcher.next();
        std::this_thread::sleep_for(milliseconds(wait));
      }
      const std::int64_t made = counter.made;
      CHECK(made <= taken + 2);
      std::this_thread::sleep_for(milliseconds(wait));
      CHECK(counter.made == made);
    }
  }
}

TEST_CASE("prefetch: says how long it was waited for") {
  Prefetcher slow([](Batch&) { std::this_thread::sleep_for(milliseconds(30)); });
  slow.next();
  slow.next();
  CHECK(slow.waited_nanoseconds() > 30'000'000);

  Counter counter;
  Prefetcher fast(counter.function());
  CHECK(reaches(counter.made, 2));
  std::this_thread::sleep_for(milliseconds(5));
  fast.next();
  fast.next();
  CHECK(fast.waited_nanoseconds() == 0);
}

}  // namespace
}  // namespace heddle::testing
