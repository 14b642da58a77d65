#include "data/corpus.h"

#include <array>
#include <iomanip>
#include <sstream>
#include <system_error>

#include "autograd/base/check.h"
#include "data/corpus_pass.h"
#include "data/corpus_sieve.h"

namespace heddle {

namespace {

void write_key(std::ostream& key, const char* side, const CorpusSide& corpus) {
  require_regular(corpus.file, kReadAgain);
  const CorpusFile file(corpus.file);
  const FileStamp stamp = file.stamp();
  const std::filesystem::path whole = std::filesystem::absolute(corpus.file).lexically_normal();
  key << side << " " << whole.string() << ", " << stamp.size << " bytes, changed at "
      << stamp.changed << "\n";
  // 128 bits: two of 64 that begin differently.
  const std::string bytes = corpus.tokenizer->serialised();
  const auto tokenizer = std::as_bytes(std::span(bytes));
  key << side << " tokenizer " << std::hex << std::setfill('0') << std::setw(16)
      << checksum(tokenizer) << std::setw(16) << checksum(tokenizer, 1) << std::dec << ", "
      << corpus.tokenizer->vocabulary().size << " ids\n";
}

void check_some_left(const Corpus& corpus, const CorpusReport& report) {
  if (report.kept > 0) return;
  const std::string files = corpus.source.file.string() + ", " + corpus.target.file.string();
  check<DataError>(report.pairs > 0, files, ": the files are empty");
  fail<DataError>(files, ": nothing is left to learn from (",
                  report.message(corpus.limits.source_limit), "; max_length is ",
                  corpus.limits.max_length, ")");
}

void write_cache(const Corpus& corpus, const std::filesystem::path& cache_file,
                 const std::string& key, int threads,
                 const std::function<void(std::int64_t)>& progress) {
  CorpusPass pass(corpus, threads);
  const auto side = [](const CorpusSide& of, const LineReader& reader) {
    return CachedSide{of.tokenizer->vocabulary(), reader.compressed()};
  };
  TokenCacheWriter writer(cache_file, side(corpus.source, pass.source_reader()),
                          side(corpus.target, pass.target_reader()));
  Sieve sieve(corpus.limits);
  while (pass.next()) {
    for (std::size_t i = 0; i < pass.size(); ++i) {
      const TokenisedLine source = pass.source(i), target = pass.target(i);
      if (!sieve.keeps(source, target)) continue;
      writer.append(pass.first_line() + static_cast<std::int64_t>(i), source, target);
    }
    if (progress) progress(sieve.pairs());
  }
  CorpusReport report = sieve.report();
  report.source_crlf = pass.source_reader().crlf_lines();
  report.target_crlf = pass.target_reader().crlf_lines();
  check_some_left(corpus, report);
  check<FileError>(corpus_key(corpus) == key, corpus.source.file.string(), " or ",
                   corpus.target.file.string(), " changed while it was read; start again");
  writer.finish(key, report);
}

}  // namespace

std::string corpus_key(const Corpus& corpus) {
  std::ostringstream key;
  write_key(key, "source", corpus.source);
  write_key(key, "target", corpus.target);
  const CorpusLimits& limits = corpus.limits;
  key << "max_length " << limits.max_length << "\nmax_source_tokens " << limits.max_source_tokens
      << "\nreach " << std::hexfloat << limits.reach_factor << " " << limits.reach_extra << "\n";
  return key.str();
}

OpenedCorpus open_corpus(const Corpus& corpus, const std::filesystem::path& cache_file, int threads,
                         const std::function<void(std::int64_t)>& progress) {
  const std::string key = corpus_key(corpus);
  const auto open = [&] {
    return TokenCache::open(cache_file, key, corpus.source.file, corpus.target.file);
  };
  if (auto cache = open()) return {std::move(*cache), true};
  write_cache(corpus, cache_file, key, threads, progress);
  auto cache = open();
  check<FileError>(cache.has_value(), "cannot read ", cache_file.string(),
                   " as it was written; is the disk sound?");
  return {std::move(*cache), false};
}

HeldOut::HeldOut(const TokenCache& cache, std::int64_t count, std::uint64_t seed)
    : train(cache), valid(cache) {
  check<DataError>(count >= 1 && count < cache.pairs(), "cannot hold out ", count,
                   " pairs for validation: the corpus has ", cache.pairs(),
                   " that can be used; lower hold_out");
  const Permutation order(cache.pairs(), seed, Shuffle::kHoldOut);
  valid = PairSet(cache, order, 0, count);
  train = PairSet(cache, order, count, cache.pairs() - count);
}

}  // namespace heddle
