// The computed order is a bijection for every size, and as good as shuffled.
#include "data/corpus_permutation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

std::vector<std::int64_t> order_of(const Permutation& permutation) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < permutation.size(); ++i) order.push_back(permutation(i));
  return order;
}

TEST_CASE("corpus_permutation: every size gives each number once") {
  std::vector<std::int64_t> sizes = {1'000, 4'095, 4'096, 4'097, 100'003};
  for (std::int64_t size = 1; size <= 300; ++size) sizes.push_back(size);
  for (const std::int64_t size : sizes) {
    CAPTURE(size);
    const auto order = order_of(Permutation(size, 7, Shuffle::kEpoch, 3));
    const std::set<std::int64_t> values(order.begin(), order.end());
    CHECK(std::ssize(values) == size);
    CHECK(*values.begin() == 0);
    CHECK(*values.rbegin() == size - 1);
  }
  CHECK_MESSAGE_THROWN(Permutation(0, 1, Shuffle::kEpoch), "of 0 things");
}

TEST_CASE("corpus_permutation: large sizes stay inside and do not repeat") {
  const std::int64_t size = (std::int64_t{1} << 40) + 1;  // the worst size for walking
  const Permutation permutation(size, 1, Shuffle::kEpoch);
  std::set<std::int64_t> values;
  for (std::int64_t i = 0; i < 10'000; ++i) values.insert(permutation(size - 1 - i));
  CHECK(values.size() == 10'000);
  CHECK(*values.begin() >= 0);
  CHECK(*values.rbegin() < size);
}

TEST_CASE("corpus_permutation: seed, purpose and round each give another order") {
  const auto order = [](std::uint64_t seed, Shuffle purpose, std::uint64_t round) {
    return order_of(Permutation(1'000, seed, purpose, round));
  };
  std::set<std::vector<std::int64_t>> orders;
  const std::uint64_t high = std::uint64_t{1} << 32;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, high}) {
    for (const std::uint64_t round : {std::uint64_t{0}, std::uint64_t{1}, high}) {
      orders.insert(order(seed, Shuffle::kEpoch, round));
      orders.insert(order(seed, Shuffle::kHoldOut, round));
    }
  }
  CHECK(orders.size() == 18);
  CHECK(order(5, Shuffle::kEpoch, 6) == order(5, Shuffle::kEpoch, 6));
}

TEST_CASE("corpus_permutation: every number is as likely in every place") {
  // Over 4,000 orders of 6 things a cell of the table holds 667 +- 24.
  constexpr int kSize = 6, kOrders = 4'000;
  int counts[kSize][kSize] = {};
  std::set<std::vector<std::int64_t>> orders;
  for (std::uint64_t round = 0; round < kOrders; ++round) {
    const auto order = order_of(Permutation(kSize, 1, Shuffle::kEpoch, round));
    orders.insert(order);
    for (std::size_t i = 0; i < kSize; ++i) ++counts[i][order[i]];
  }
  CHECK(orders.size() > 700);  // of 6! = 720, all but three are expected
  for (const auto& row : counts) {
    for (const int count : row) CHECK(std::abs(count - kOrders / kSize) < 4 * 24);
  }
}

TEST_CASE("corpus_permutation: neighbours are scattered") {
  // Steps between neighbours of a random order of n are n / 3 on average.
  constexpr std::int64_t kSize = 100'000;
  const Permutation permutation(kSize, 2, Shuffle::kEpoch);
  double sum = 0.0;
  for (std::int64_t i = 1; i < kSize; ++i) {
    sum += static_cast<double>(std::abs(permutation(i) - permutation(i - 1)));
  }
  CHECK(sum / kSize / kSize == doctest::Approx(1.0 / 3.0).epsilon(0.01));
}

}  // namespace
}  // namespace heddle::testing
