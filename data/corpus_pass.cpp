#include "data/corpus_pass.h"

#include <algorithm>

#include "autograd/base/check.h"
#include "autograd/base/parallel.h"
#include "data/corpus.h"

namespace heddle {

namespace {

constexpr std::size_t kBlockPairs = 8192;
constexpr std::size_t kBlockBytes = std::size_t{4} << 20;  // of one side

/// One of the files is at its end, the other is not.
[[noreturn]] void fail_unequal(LineReader& shorter, LineReader& longer) {
  for (std::string_view line; longer.next(line);) {
  }
  fail<DataError>(shorter.file().path().string(), " ends at line ", shorter.number(), ", but ",
                  longer.file().path().string(), " has ", longer.number(),
                  " lines; line n of one must translate line n of the other");
}

}  // namespace

void LineBlock::clear() {
  text_.clear();
  lines_.clear();
}

void LineBlock::add(std::string_view text, std::uint64_t begin) {
  lines_.push_back({text_.size(), text.size(), begin, 0, 0, 0});
  text_.append(text);
}

void LineBlock::encode(std::size_t slice, std::size_t from, std::size_t to, std::int64_t first_line,
                       const std::filesystem::path& file, const Tokenizer& tokenizer) {
  std::vector<std::int32_t>& ids = slices_[slice];
  ids.clear();
  for (std::size_t i = from; i < to; ++i) {
    Line& line = lines_[i];
    check_utf8(file, first_line + static_cast<std::int64_t>(i), text(line));
    line.slice = slice;
    line.ids_begin = ids.size();
    tokenizer.encode(text(line), ids);
    line.ids_length = ids.size() - line.ids_begin;
  }
}

TokenisedLine LineBlock::operator[](std::size_t i) const {
  const Line& line = lines_[i];
  return {text(line), line.file_begin,
          std::span(slices_[line.slice]).subspan(line.ids_begin, line.ids_length)};
}

CorpusPass::CorpusPass(const Corpus& corpus, int threads)
    : corpus_(corpus),
      threads_(std::max(1, threads)),
      source_reader_(corpus.source.file),
      target_reader_(corpus.target.file) {
  source_block_.resize_slices(static_cast<std::size_t>(threads_));
  target_block_.resize_slices(static_cast<std::size_t>(threads_));
}

bool CorpusPass::next() {
  first_line_ += static_cast<std::int64_t>(size());
  read_block();
  encode_block();
  // Last, so that what is wrong with an earlier line is said first.
  fail_if_unequal();
  return size() > 0;
}

void CorpusPass::read_block() {
  source_block_.clear();
  target_block_.clear();
  std::string_view source, target;
  while (!source_ended_ && !target_ended_ && size() < kBlockPairs &&
         std::max(source_block_.bytes(), target_block_.bytes()) < kBlockBytes) {
    source_ended_ = !source_reader_.next(source);
    target_ended_ = !target_reader_.next(target);
    if (source_ended_ || target_ended_) return;
    source_block_.add(source, source_reader_.begin());
    target_block_.add(target, target_reader_.begin());
  }
}

void CorpusPass::encode_block() {
  const auto slices = static_cast<std::size_t>(threads_);
  run_lanes(threads_, threads_, 1, [&](int lane) {
    const auto slice = static_cast<std::size_t>(lane);
    const std::size_t from = size() * slice / slices, to = size() * (slice + 1) / slices;
    source_block_.encode(slice, from, to, first_line_, corpus_.source.file,
                         *corpus_.source.tokenizer);
    target_block_.encode(slice, from, to, first_line_, corpus_.target.file,
                         *corpus_.target.tokenizer);
  });
}

void CorpusPass::fail_if_unequal() {
  if (source_ended_ && !target_ended_) fail_unequal(source_reader_, target_reader_);
  if (target_ended_ && !source_ended_) fail_unequal(target_reader_, source_reader_);
}

void check_text(const std::filesystem::path& source, const std::filesystem::path& target) {
  LineReader sources(source), targets(target);
  for (std::string_view source_line, target_line;;) {
    const bool source_left = sources.next(source_line);
    const bool target_left = targets.next(target_line);
    if (source_left) check_utf8(source, sources.number(), source_line);
    if (target_left) check_utf8(target, targets.number(), target_line);
    if (!source_left && !target_left) break;
    if (!source_left) fail_unequal(sources, targets);
    if (!target_left) fail_unequal(targets, sources);
  }
  check<DataError>(sources.number() > 0, source.string(), ", ", target.string(),
                   ": the files are empty");
}

}  // namespace heddle
