#include "autograd/base/arena.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

using heddle::Arena;
using heddle::ArenaScope;

namespace {
bool aligned(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) % Arena::kAlignment == 0;
}
}  // namespace

TEST_CASE("arena memory is aligned, distinct and counted") {
  Arena arena(1024);
  auto* a = arena.allocate<float>(3);
  auto* b = arena.allocate<double>(1);
  CHECK(aligned(a));
  CHECK(aligned(b));
  CHECK(arena.allocate(0) != arena.allocate(0));
  std::memset(a, 1, 12);
  *b = 2.0;
  CHECK(a[2] != 2.0F);
  CHECK(arena.used() == 4 * 64);
}

TEST_CASE("an arena grows by chunks and coalesces at reset") {
  Arena arena(1024);
  for (int i = 0; i < 100; ++i) std::memset(arena.allocate(1000), i, 1000);
  const std::int64_t grown = arena.growths();
  CHECK(grown > 1);
  CHECK(arena.used() >= 100 * 1024);
  const std::size_t used = arena.used();
  arena.reset();
  CHECK(arena.used() == 0);
  CHECK(arena.capacity() >= used + used / 8);
  CHECK(arena.capacity() < used + used / 8 + Arena::kAlignment);
  const std::int64_t after_reset = arena.growths();
  for (int i = 0; i < 100; ++i) std::memset(arena.allocate(1000), i, 1000);
  CHECK(arena.growths() == after_reset);
  CHECK(arena.peak() == arena.used());
  arena.reset();
  CHECK(arena.growths() == after_reset);
}

TEST_CASE("what an arena coalesces to is present, whether it was used or not") {
  Arena arena;
  arena.allocate(std::size_t{3} << 20);
  arena.reset();
  const std::size_t size = arena.capacity();
  CHECK(size == std::size_t{4} << 20);  // the eighth to spare in it
  std::vector<unsigned char> present(size / 4096);
  REQUIRE(::mincore(arena.allocate(1), size, present.data()) == 0);
  CHECK(std::ranges::all_of(present, [](unsigned char page) { return (page & 1) != 0; }));
}

TEST_CASE("one allocation may be larger than any chunk") {
  Arena arena(64);
  auto* big = static_cast<unsigned char*>(arena.allocate(5 << 20));
  CHECK(aligned(big));
  big[(5 << 20) - 1] = 7;
  CHECK(arena.used() >= std::size_t{5} << 20);
}

TEST_CASE("release goes back to a mark, over chunks") {
  Arena arena(256);
  auto* kept = arena.allocate<std::int32_t>(4);
  kept[3] = 42;
  const std::size_t used = arena.used();
  {
    const ArenaScope scope(arena);
    for (int i = 0; i < 20; ++i) std::memset(arena.allocate(200), 1, 200);
    {
      const ArenaScope inner(arena);
      std::memset(arena.allocate(4000), 2, 4000);
    }
    CHECK(arena.used() > used);
  }
  CHECK(arena.used() == used);
  CHECK(kept[3] == 42);
  const std::int64_t grown = arena.growths();
  {
    const ArenaScope scope(arena);
    for (int i = 0; i < 20; ++i) std::memset(arena.allocate(200), 1, 200);
  }
  CHECK(arena.growths() == grown);
}

TEST_CASE("generations tell steps apart") {
  Arena arena;
  const std::uint32_t first = arena.generation();
  arena.reset();
  CHECK(arena.generation() == first + 1);
}

TEST_CASE("copies live in the arena") {
  Arena arena;
  const std::vector<std::int32_t> ids{3, 1, 2};
  const auto copy = arena.copy(std::span<const std::int32_t>(ids));
  CHECK(copy.size() == 3);
  CHECK(copy[2] == 2);
  CHECK(copy.data() != ids.data());
}
