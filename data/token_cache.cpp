#include "data/token_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/base/check.h"
#include "data/line_reader.h"

namespace heddle {

namespace {

// Records of less are not worth giving back.
constexpr std::size_t kLargeFile = std::size_t{16} << 20;

std::uint64_t index_bytes(const CacheFooter& footer) {
  const std::int64_t entries = (footer.report.kept + kIndexStride - 1) / kIndexStride;
  return static_cast<std::uint64_t>(entries) * sizeof(std::uint64_t);
}

/// Whether the parts that the footer speaks of are the file.
bool fits(const CacheFooter& footer, std::uint64_t file_bytes) {
  const std::uint64_t body = file_bytes - sizeof footer;
  // Each bounded first, so that the sum does not wrap.
  if (footer.report.kept < 1 || footer.report.kept > static_cast<std::int64_t>(body)) return false;
  if (footer.records_bytes > body || footer.key_bytes > body) return false;
  if (footer.records_bytes + index_bytes(footer) + footer.key_bytes != body) return false;
  if (footer.source_vocabulary < Vocabulary::kSmallest) return false;
  if (footer.target_vocabulary < Vocabulary::kSmallest) return false;
  return footer.id_bytes == id_bytes_for({footer.source_vocabulary}, {footer.target_vocabulary});
}

/// The footer of a whole cache made for `key`.
std::optional<CacheFooter> footer_of(std::span<const std::byte> file, std::string_view key) {
  CacheFooter footer;
  if (file.size() < sizeof footer) return std::nullopt;
  std::memcpy(&footer, file.data() + file.size() - sizeof footer, sizeof footer);
  if (footer.magic != kCacheMagic || footer.version != kCacheVersion) return std::nullopt;
  if (!fits(footer, file.size())) return std::nullopt;
  const auto frame = file.subspan(footer.records_bytes);
  if (checksum(frame.first(frame.size() - sizeof footer.checksum)) != footer.checksum) {
    return std::nullopt;
  }
  const auto stored = frame.subspan(index_bytes(footer), footer.key_bytes);
  if (stored.size() != key.size()) return std::nullopt;
  if (std::memcmp(stored.data(), key.data(), key.size()) != 0) return std::nullopt;
  return footer;
}

std::span<const std::byte> take(std::span<const std::byte>& bytes, std::size_t count) {
  const auto taken = bytes.first(count);
  bytes = bytes.subspan(count);
  return taken;
}

/// The text of a record, from within it or from the corpus file.
void read_characters(const CorpusFile* file, std::uint64_t begin, std::uint32_t length,
                     std::span<const std::byte> inside, std::string& text) {
  text.resize(length);
  if (file == nullptr) {
    if (length > 0) std::memcpy(text.data(), inside.data(), length);
  } else {
    text.resize(file->read_at(begin, text));
  }
}

}  // namespace

std::optional<TokenCache> TokenCache::open(const std::filesystem::path& path, std::string_view key,
                                           const std::filesystem::path& sources,
                                           const std::filesystem::path& targets) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  MappedFile file(path, MapMode::kReadOnly);
  const auto footer = footer_of(file.bytes(), key);
  if (!footer) return std::nullopt;
  TokenCache cache(path, std::move(file), *footer);
  if (footer->source_inside == 0) cache.source_file_ = std::make_unique<CorpusFile>(sources);
  if (footer->target_inside == 0) cache.target_file_ = std::make_unique<CorpusFile>(targets);
  return cache;
}

TokenCache::TokenCache(std::filesystem::path path, MappedFile file, const CacheFooter& footer)
    : path_(std::move(path)), file_(std::move(file)), footer_(footer) {}

void TokenCache::read(std::int64_t number, TokenPair& pair) const {
  const Record found = record(number);
  pair.line = static_cast<std::int64_t>(found.header.line);
  read_ids(found.source_ids, source_vocabulary(), number, pair.source);
  read_ids(found.target_ids, target_vocabulary(), number, pair.target);
}

void TokenCache::read(std::int64_t number, TextPair& pair) const {
  const Record found = record(number);
  const RecordHeader& header = found.header;
  pair.line = static_cast<std::int64_t>(header.line);
  if (std::max(header.source_bytes, header.target_bytes) > LineReader::kLongestLine) {
    fail_damaged(number);
  }
  read_characters(source_file_.get(), header.source_begin, header.source_bytes, found.source_text,
                  pair.source);
  read_characters(target_file_.get(), header.target_begin, header.target_bytes, found.target_text,
                  pair.target);
  const std::uint64_t source_sum = checksum(std::as_bytes(std::span(pair.source)));
  const std::uint64_t sum = checksum(std::as_bytes(std::span(pair.target)), source_sum);
  if (static_cast<std::uint32_t>(sum) == header.text_checksum) return;
  if (source_file_ == nullptr && target_file_ == nullptr) fail_damaged(number);
  const CorpusFile& file = source_file_ != nullptr ? *source_file_ : *target_file_;
  const CorpusFile& other = target_file_ != nullptr ? *target_file_ : file;
  fail<FileError>("line ", header.line, " of ", file.path().string(), " or ", other.path().string(),
                  " changed after it was tokenised; start the run anew");
}

TokenCache::Record TokenCache::record(std::int64_t number) const {
  check(number >= 0 && number < pairs(), "TokenCache: pair ", number, " of ", pairs());
  std::uint64_t offset = 0;
  const auto entry = static_cast<std::uint64_t>(number / kIndexStride) * sizeof offset;
  std::memcpy(&offset, file_.bytes().data() + footer_.records_bytes + entry, sizeof offset);
  RecordHeader header = header_at(offset, number);
  for (std::int64_t skip = number % kIndexStride; skip > 0; --skip) {
    offset += record_bytes(header);
    header = header_at(offset, number);
  }
  auto body = file_.bytes().subspan(offset, record_bytes(header));
  const auto sum =
      checksum(body.subspan(sizeof header.checksum), static_cast<std::uint64_t>(number));
  if (static_cast<std::uint32_t>(sum) != header.checksum) fail_damaged(number);
  take(body, sizeof header);
  Record found;
  found.header = header;
  found.source_ids = take(body, std::size_t{header.source_tokens} * footer_.id_bytes);
  found.target_ids = take(body, std::size_t{header.target_tokens} * footer_.id_bytes);
  if (footer_.source_inside != 0) found.source_text = take(body, header.source_bytes);
  if (footer_.target_inside != 0) found.target_text = take(body, header.target_bytes);
  return found;
}

/// The header at `offset`, which ends within the records as its record does.
RecordHeader TokenCache::header_at(std::uint64_t offset, std::int64_t number) const {
  RecordHeader header;
  const std::uint64_t end = footer_.records_bytes;
  if (offset > end || end - offset < sizeof header) fail_damaged(number);
  std::memcpy(&header, file_.bytes().data() + offset, sizeof header);
  if (record_bytes(header) > end - offset) fail_damaged(number);
  return header;
}

std::uint64_t TokenCache::record_bytes(const RecordHeader& header) const {
  std::uint64_t bytes = std::uint64_t{header.source_tokens} + header.target_tokens;
  bytes = sizeof header + bytes * footer_.id_bytes;
  if (footer_.source_inside != 0) bytes += header.source_bytes;
  if (footer_.target_inside != 0) bytes += header.target_bytes;
  return bytes;
}

void TokenCache::read_ids(std::span<const std::byte> bytes, const Vocabulary& vocabulary,
                          std::int64_t number, std::vector<std::int32_t>& ids) const {
  ids.resize(bytes.size() / footer_.id_bytes);
  if (footer_.id_bytes == sizeof(std::int32_t)) {
    if (!ids.empty()) std::memcpy(ids.data(), bytes.data(), bytes.size());
  } else {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::uint16_t narrow = 0;
      std::memcpy(&narrow, bytes.data() + i * sizeof narrow, sizeof narrow);
      ids[i] = narrow;
    }
  }
  for (const std::int32_t id : ids) {
    if (!is_text_id(id, vocabulary)) fail_damaged(number);
  }
}

void TokenCache::release() const {
  // The index stays: it is small, and every read begins there.
  const std::size_t records = footer_.records_bytes;
  if (records < kLargeFile) return;
  // The mapping is read only and of a file: what is dropped is read again. A refusal costs memory
  // alone.
  auto* const begin = const_cast<std::byte*>(file_.bytes().data());
  static_cast<void>(::madvise(begin, records, MADV_DONTNEED));
}

void TokenCache::fail_damaged(std::int64_t number) const {
  fail<FileError>("token cache ", path_.string(), " is damaged at pair ", number,
                  "; delete it and start again");
}

}  // namespace heddle
