// Lanes hold every sentence once, about as much work each, and their own packed ids.
#include "data/batch_lanes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/support/allocation_counter.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using TokenIds = std::vector<std::int32_t>;

/// Pairs of 1 to `longest` tokens, ends included, that say which they are.
PackedPairs random_pairs(int count, int longest, unsigned seed) {
  std::mt19937 random(seed);
  PackedPairs pairs;
  for (int i = 0; i < count; ++i) {
    const auto length = [&] { return random() % static_cast<unsigned>(longest); };
    pairs.append(TokenIds(length(), i + 2), TokenIds(length(), i + 3), 9'999);
  }
  return pairs;
}

TEST_CASE("batch_lanes: every sentence in one lane, in the order of the batch, evenly") {
  for (const int count : {1, 2, 3, 7, 150}) {
    for (const int lanes : {1, 2, 3, 8}) {
      CAPTURE(count);
      CAPTURE(lanes);
      const PackedPairs pairs = random_pairs(count, 60, 1);
      LaneSplit split;
      split.split(random_pairs(30, 5, 2), 5);  // what was before must not show
      split.split(pairs, lanes);
      std::vector<int> seen(static_cast<std::size_t>(count));
      std::int64_t least = split.work(0), most = 0;
      for (int lane = 0; lane < lanes; ++lane) {
        CHECK(std::is_sorted(split[lane].begin(), split[lane].end()));
        CHECK(split[lane].empty() == (lane >= count));
        for (const std::int32_t i : split[lane]) ++seen[static_cast<std::size_t>(i)];
        least = std::min(least, split.work(lane));
        most = std::max(most, split.work(lane));
      }
      CHECK(std::count(seen.begin(), seen.end(), 1) == count);
      if (count == 150) CHECK(static_cast<double>(least) > 0.97 * static_cast<double>(most));
    }
  }
  CHECK_MESSAGE_THROWN((LaneSplit().split({}, 0), 0), "0 lanes");
}

TEST_CASE("batch_lanes: work is tokens and, for long sentences, attention") {
  PackedPairs pairs;
  const auto add = [&](std::size_t source, std::size_t target) {
    pairs.append(TokenIds(source - 1, 5), TokenIds(target - 1, 5), 9);
  };
  add(1'000, 1'000);  // weighs more than two of half its length
  add(500, 500);
  add(500, 500);
  add(500, 500);
  LaneSplit split;
  split.split(pairs, 2);
  CHECK(split[0].size() == 1);
  CHECK(split[1].size() == 3);
  CHECK(split.work(0) == 2'000 * 1'024 + 3'000'000);
}

TEST_CASE("batch_lanes: pieces of a lane are in order, within bounds and about equal") {
  const PackedPairs pairs = random_pairs(200, 40, 5);
  std::vector<std::int32_t> which;
  for (std::int32_t i = 0; i < 200; i += 2) which.push_back(i);
  std::vector<std::span<const std::int32_t>> pieces;
  const auto longer_sides = [&](std::span<const std::int32_t> piece) {
    std::int64_t tokens = 0;
    for (const std::int32_t i : piece) {
      const auto p = static_cast<std::size_t>(i);
      tokens += std::max(pairs.source[p].length, pairs.target[p].length);
    }
    return tokens;
  };
  const std::int64_t all = longer_sides(which);
  for (const std::int64_t most : {1, 40, 100, 500, 1'000, 100'000}) {
    CAPTURE(most);
    cut(pairs, which, most, pieces);
    std::vector<std::int32_t> together;
    std::int64_t largest = 0, smallest = all;
    for (const auto& piece : pieces) {
      REQUIRE(!piece.empty());
      CHECK((piece.size() == 1 || longer_sides(piece) <= most));
      largest = std::max(largest, longer_sides(piece));
      smallest = std::min(smallest, longer_sides(piece));
      together.insert(together.end(), piece.begin(), piece.end());
    }
    CHECK(together == which);
    if (most >= 500) {
      CHECK(std::ssize(pieces) <= (all + most - 1) / most + 1);
      CHECK(largest - smallest <= 2 * 40);
    }
  }
  CHECK(pieces.size() == 1);
  cut(pairs, {}, 10, pieces);
  CHECK(pieces.empty());
}

TEST_CASE("batch_lanes: a packed lane is its sentences and nothing else") {
  const PackedPairs pairs = random_pairs(40, 9, 3);
  LaneSplit split;
  split.split(pairs, 3);
  PackedPairs lane;
  std::int64_t source_tokens = 0, target_tokens = 0;
  for (int k = 0; k < 3; ++k) {
    pack(pairs, split[k], lane);
    REQUIRE(lane.source.size() == split[k].size());
    CHECK_NOTHROW(check_sequences("source", lane.source, lane.source_tokens()));
    CHECK_NOTHROW(check_sequences("target", lane.target, lane.target_tokens()));
    source_tokens += lane.source_tokens();
    target_tokens += lane.target_tokens();
    for (std::size_t i = 0; i < split[k].size(); ++i) {
      const auto from = static_cast<std::size_t>(split[k][i]);
      const auto part = [](const TokenIds& ids, const Sequence& rows) {
        return TokenIds(ids.begin() + rows.begin, ids.begin() + rows.begin + rows.length);
      };
      CHECK(part(lane.source_ids, lane.source[i]) == part(pairs.source_ids, pairs.source[from]));
      CHECK(part(lane.target_input, lane.target[i]) ==
            part(pairs.target_input, pairs.target[from]));
      CHECK(part(lane.target_output, lane.target[i]) ==
            part(pairs.target_output, pairs.target[from]));
    }
  }
  CHECK(source_tokens == pairs.source_tokens());
  CHECK(target_tokens == pairs.target_tokens());
}

TEST_CASE("batch_lanes: splitting and packing again allocates nothing") {
  const PackedPairs pairs = random_pairs(100, 50, 4);
  LaneSplit split;
  PackedPairs lane;
  const auto all = [&] {
    split.split(pairs, 4);
    for (int k = 0; k < 4; ++k) pack(pairs, split[k], lane);
  };
  all();
  const std::int64_t before = allocations();
  all();
  CHECK(allocations() == before);
}

}  // namespace
}  // namespace heddle::testing
