// What encoding words gave, for the words that were seen first: of running text, nearly all.
// Several threads may use it at once; what one of them is told never depends on the others, since a
// word always gives the same ids.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "data/piece_list.h"

namespace heddle {

class WordCache {
 public:
  /// Appends the ids of a word that is known.
  bool find(std::string_view word, std::vector<std::int32_t>& ids) const;
  /// Remembers the ids of a word, unless the cache is full or the word is unusually long.
  void add(std::string_view word, const std::vector<std::int32_t>& ids);

 private:
  static constexpr std::size_t kShards = 64;  // so that threads seldom wait for each other
  static constexpr std::size_t kWordsOfShard = 2048;
  static constexpr std::size_t kLongestWord = 48;  // bytes

  struct Range {
    std::uint32_t begin, size;
  };
  struct Shard {
    mutable std::mutex mutex;
    TextMap<Range> ranges;
    std::vector<std::int32_t> ids;
  };

  static std::size_t shard_of(std::string_view word) {
    return std::hash<std::string_view>()(word) % kShards;
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace heddle
