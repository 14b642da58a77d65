#include "data/word_cache.h"

#include <doctest/doctest.h>

namespace heddle::testing {
namespace {

using TokenIds = std::vector<std::int32_t>;

TEST_CASE("word cache: known words append their ids, unknown ones nothing") {
  WordCache cache;
  cache.add("ab", {5, 6});
  cache.add("c", {7});
  cache.add("", {});
  cache.add("ab", {9});  // known
  TokenIds ids = {1};
  CHECK(cache.find("ab", ids));
  CHECK(cache.find("c", ids));
  CHECK(cache.find("", ids));
  CHECK_FALSE(cache.find("a", ids));
  CHECK(ids == TokenIds{1, 5, 6, 7});
}

TEST_CASE("word cache: what it keeps is bounded, in words and in their length") {
  WordCache cache;
  cache.add(std::string(1000, 'a'), {2});
  constexpr int kMany = 200'000;
  for (int i = 0; i < kMany; ++i) cache.add("word " + std::to_string(i), {i});
  TokenIds ids;
  CHECK_FALSE(cache.find(std::string(1000, 'a'), ids));
  int kept = 0;
  for (int i = 0; i < kMany; ++i) {
    ids.clear();
    if (!cache.find("word " + std::to_string(i), ids)) continue;
    ++kept;
    if (ids != TokenIds{i}) FAIL_CHECK(i);
  }
  CHECK(kept > 100'000);
  CHECK(kept < 150'000);
}

}  // namespace
}  // namespace heddle::testing
