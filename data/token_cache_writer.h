// Writes a token cache (token_cache_format.h) pair by pair, in the memory of a few of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/base/atomic_file.h"
#include "autograd/base/vocabulary.h"
#include "data/corpus_report.h"
#include "data/token_cache_format.h"

namespace heddle {

/// One side of a pair as it goes into a cache.
struct TokenisedLine {
  std::string_view text;
  std::uint64_t begin = 0;            // of the text in its file
  std::span<const std::int32_t> ids;  // without the end
};

/// One side of a corpus as a cache knows it.
struct CachedSide {
  Vocabulary vocabulary;
  bool text_inside = false;  // since its file cannot be read at a place
};

class TokenCacheWriter {
 public:
  /// Throws FileError where the file cannot be written, as all members do.
  TokenCacheWriter(const std::filesystem::path& path, const CachedSide& source,
                   const CachedSide& target);

  /// Pairs are numbered in the order of calls; `line` counts from 1.
  void append(std::int64_t line, const TokenisedLine& source, const TokenisedLine& target);

  /// Lets the file appear.
  void finish(std::string_view key, const CorpusReport& report);

 private:
  void put(const void* bytes, std::size_t count);
  void put_ids(std::span<const std::int32_t> ids, const Vocabulary& vocabulary);
  void flush();

  AtomicFile file_;
  CachedSide source_, target_;
  std::uint32_t id_bytes_;
  std::vector<std::byte> buffer_;  // of records
  std::uint64_t flushed_ = 0;      // bytes before those in the buffer
  std::int64_t pairs_ = 0;
  std::uint64_t content_ = 0;
  std::vector<std::uint64_t> index_;
};

}  // namespace heddle
