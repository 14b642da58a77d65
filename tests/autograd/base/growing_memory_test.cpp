#include "autograd/base/growing_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "autograd/base/aligned.h"
#include "autograd/base/arena.h"
#include "autograd/base/out_of_memory.h"
#include "tests/support/sanitized.h"

using heddle::GrowingMemory;

TEST_CASE("growing memory keeps what it holds, new memory is zero") {
  GrowingMemory memory;
  CHECK(memory.size() == 0);
  for (std::size_t bytes = 1; bytes <= std::size_t{8} << 20; bytes *= 3) {
    const std::size_t before = memory.size();
    memory.grow(bytes);
    REQUIRE(memory.size() >= bytes);
    const std::span all(memory.data(), memory.size());
    CHECK(std::ranges::all_of(all.first(before), [](std::byte b) { return b == std::byte{5}; }));
    CHECK(std::ranges::all_of(all.subspan(before), [](std::byte b) { return b == std::byte{0}; }));
    std::ranges::fill(all, std::byte{5});
  }
  const std::size_t size = memory.size();
  memory.grow(size / 2);
  CHECK(memory.size() == size);
  GrowingMemory moved = std::move(memory), assigned;
  CHECK(moved.size() == size);
  CHECK(moved.data()[size - 1] == std::byte{5});
  assigned = std::move(moved);
  CHECK(assigned.size() == size);
  CHECK(assigned.data()[0] == std::byte{5});
}

TEST_CASE("growing memory that cannot grow stays as it is") {
  constexpr std::size_t kLargest = std::numeric_limits<std::size_t>::max();
  GrowingMemory memory;
  memory.grow(0);
  CHECK_THROWS_AS(memory.grow(kLargest / 4), std::bad_alloc);
  CHECK(memory.size() == 0);
  memory.grow(100);
  memory.data()[99] = std::byte{7};
  const std::size_t size = memory.size();
  CHECK_THROWS_AS(memory.grow(kLargest / 4), std::bad_alloc);
  CHECK_THROWS_AS(memory.grow(kLargest), std::bad_alloc);
  CHECK(memory.size() == size);
  CHECK(memory.data()[99] == std::byte{7});
}

TEST_CASE("out of memory: what is thrown knows how much was asked for") {
  constexpr std::size_t kTooMuch = std::size_t{1} << 56;
  const auto bytes_missing = [](const auto& body) -> std::size_t {
    try {
      body();
    } catch (const heddle::OutOfMemory& error) {
      CHECK(std::string(error.what()) == "not enough memory");
      return error.bytes();
    }
    return 0;
  };
  heddle::Arena arena;
  CHECK(bytes_missing([&] { arena.allocate(kTooMuch); }) >= kTooMuch);
  CHECK(arena.allocate(64) != nullptr);  // the arena is as it was
  GrowingMemory memory;
  CHECK(bytes_missing([&] { memory.grow(kTooMuch); }) == kTooMuch);
  if (!heddle::testing::kSanitized) {
    CHECK(bytes_missing([] { heddle::allocate_zeros(kTooMuch); }) == kTooMuch);
  }
}
