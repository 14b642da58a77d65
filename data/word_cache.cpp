#include "data/word_cache.h"

namespace heddle {

bool WordCache::find(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (word.size() > kLongestWord) return false;
  const Shard& shard = shards_[shard_of(word)];
  const std::scoped_lock lock(shard.mutex);
  const auto at = shard.ranges.find(word);
  if (at == shard.ranges.end()) return false;
  const auto begin = shard.ids.begin() + at->second.begin;
  ids.insert(ids.end(), begin, begin + at->second.size);
  return true;
}

void WordCache::add(std::string_view word, const std::vector<std::int32_t>& ids) {
  if (word.size() > kLongestWord) return;
  Shard& shard = shards_[shard_of(word)];
  const std::scoped_lock lock(shard.mutex);
  if (shard.ranges.size() >= kWordsOfShard) return;
  const Range range = {static_cast<std::uint32_t>(shard.ids.size()),
                       static_cast<std::uint32_t>(ids.size())};
  if (shard.ranges.emplace(word, range).second) {
    shard.ids.insert(shard.ids.end(), ids.begin(), ids.end());
  }
}

}  // namespace heddle
