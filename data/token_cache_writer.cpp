#include "data/token_cache_writer.h"

#include <cstring>

#include "autograd/base/check.h"

namespace heddle {

namespace {
constexpr std::size_t kBufferSize = std::size_t{1} << 20;
}

TokenCacheWriter::TokenCacheWriter(const std::filesystem::path& path, const CachedSide& source,
                                   const CachedSide& target)
    : file_(path),
      source_(source),
      target_(target),
      id_bytes_(id_bytes_for(source.vocabulary, target.vocabulary)) {}

void TokenCacheWriter::append(std::int64_t line, const TokenisedLine& source,
                              const TokenisedLine& target) {
  const std::size_t begin = buffer_.size();
  if (pairs_ % kIndexStride == 0) index_.push_back(flushed_ + begin);
  const auto count = [](std::size_t size) { return static_cast<std::uint32_t>(size); };
  const std::uint64_t source_sum = checksum(std::as_bytes(std::span(source.text)));
  RecordHeader header{
      .source_tokens = count(source.ids.size()),
      .target_tokens = count(target.ids.size()),
      .source_bytes = count(source.text.size()),
      .target_bytes = count(target.text.size()),
      .text_checksum = count(checksum(std::as_bytes(std::span(target.text)), source_sum)),
      .line = static_cast<std::uint64_t>(line),
      .source_begin = source.begin,
      .target_begin = target.begin};
  put(&header, sizeof header);
  put_ids(source.ids, source_.vocabulary);
  put_ids(target.ids, target_.vocabulary);
  const std::span ids = std::span(buffer_).subspan(begin + sizeof header);
  content_ = checksum(ids, content_ ^ header.line);
  if (source_.text_inside) put(source.text.data(), source.text.size());
  if (target_.text_inside) put(target.text.data(), target.text.size());

  const std::span body = std::span(buffer_).subspan(begin + sizeof header.checksum);
  header.checksum = count(checksum(body, static_cast<std::uint64_t>(pairs_)));
  std::memcpy(buffer_.data() + begin, &header.checksum, sizeof header.checksum);
  ++pairs_;
  if (buffer_.size() >= kBufferSize) flush();
}

void TokenCacheWriter::finish(std::string_view key, const CorpusReport& report) {
  flush();
  CacheFooter footer{.magic = kCacheMagic,
                     .version = kCacheVersion,
                     .id_bytes = id_bytes_,
                     .records_bytes = flushed_,
                     .key_bytes = key.size(),
                     .source_vocabulary = source_.vocabulary.size,
                     .target_vocabulary = target_.vocabulary.size,
                     .source_inside = source_.text_inside ? 1U : 0U,
                     .target_inside = target_.text_inside ? 1U : 0U,
                     .report = report,
                     .content = content_};
  put(index_.data(), std::as_bytes(std::span(index_)).size());
  put(key.data(), key.size());
  put(&footer, sizeof footer - sizeof footer.checksum);
  footer.checksum = checksum(buffer_);
  put(&footer.checksum, sizeof footer.checksum);
  flush();
  file_.commit();
}

void TokenCacheWriter::put(const void* bytes, std::size_t count) {
  const auto* const first = static_cast<const std::byte*>(bytes);
  buffer_.insert(buffer_.end(), first, first + count);
}

void TokenCacheWriter::put_ids(std::span<const std::int32_t> ids, const Vocabulary& vocabulary) {
  for (const std::int32_t id : ids) {
    check(is_text_id(id, vocabulary), "a tokenizer of ", vocabulary.size, " ids gave ", id);
    const auto narrow = static_cast<std::uint16_t>(id);
    put(id_bytes_ == 2 ? static_cast<const void*>(&narrow) : &id, id_bytes_);
  }
}

void TokenCacheWriter::flush() {
  file_.write(buffer_.data(), buffer_.size());
  flushed_ += buffer_.size();
  buffer_.clear();
}

}  // namespace heddle
