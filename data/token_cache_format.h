// The bytes of a token cache, in this machine's order, since it is made where it is used:
//
//   records   one for each pair: RecordHeader, source ids, target ids, and the texts of files that
//             cannot be read at a place (compressed ones)
//   index     where every 16th record begins, 8 bytes each
//   key       what the cache was made of, as text
//   footer    CacheFooter: at the end, since a file that appears whole is only appended to
//
// Ids take 2 bytes where both vocabularies allow it. Nothing is aligned. Every record and the
// footer carry a checksum: it tells damage, not malice, and what is read is checked besides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "autograd/base/vocabulary.h"
#include "data/checksum.h"
#include "data/corpus_report.h"

namespace heddle {

struct RecordHeader {
  std::uint32_t checksum = 0;  // of all that follows, begun with the pair's number
  std::uint32_t source_tokens = 0;
  std::uint32_t target_tokens = 0;
  std::uint32_t source_bytes = 0;  // of the text
  std::uint32_t target_bytes = 0;
  std::uint32_t text_checksum = 0;  // of source, then target
  std::uint64_t line = 0;           // from 1
  std::uint64_t source_begin = 0;   // of the line in the (uncompressed) file
  std::uint64_t target_begin = 0;
};
static_assert(sizeof(RecordHeader) == 48 && std::has_unique_object_representations_v<RecordHeader>);

inline constexpr std::int64_t kIndexStride = 16;

struct CacheFooter {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t id_bytes = 0;  // 2 or 4
  std::uint64_t records_bytes = 0;
  std::uint64_t key_bytes = 0;
  std::int32_t source_vocabulary = 0;
  std::int32_t target_vocabulary = 0;
  std::uint32_t source_inside = 0;  // 1: the text is in the record
  std::uint32_t target_inside = 0;
  CorpusReport report;
  std::uint64_t content = 0;   // of lines and ids
  std::uint64_t checksum = 0;  // of index, key, and all above
};
static_assert(sizeof(CacheFooter) == 48 + sizeof(CorpusReport) + 16 &&
              std::has_unique_object_representations_v<CacheFooter>);

inline constexpr std::array<char, 8> kCacheMagic = {'h', 'e', 'd', 'd', 'l', 'e', 't', 'c'};
inline constexpr std::uint32_t kCacheVersion = 3;

/// 2 where every id is below 65536.
constexpr std::uint32_t id_bytes_for(const Vocabulary& source, const Vocabulary& target) {
  constexpr std::int32_t kSmall = std::numeric_limits<std::uint16_t>::max() + 1;
  return source.size <= kSmall && target.size <= kSmall ? 2 : 4;
}

/// What a tokenizer may give: no end, no start.
constexpr bool is_text_id(std::int32_t id, const Vocabulary& vocabulary) {
  return id >= Vocabulary::kUnknown && id < vocabulary.start();
}

}  // namespace heddle
