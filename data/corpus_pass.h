// One pass over a parallel corpus: lines are read in blocks of a few thousand, and each block is
// checked and tokenised on several threads. What comes out does not depend on their number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/line_reader.h"
#include "data/token_cache_writer.h"
#include "data/tokenizer.h"

namespace heddle {

struct Corpus;

/// Lines of one file one after the other, with their tokens.
class LineBlock {
 public:
  void clear();
  void add(std::string_view text, std::uint64_t begin);
  /// Checks and tokenises lines [from, to); blocks of lines may be encoded by several threads, each
  /// into a slice of its own.
  void encode(std::size_t slice, std::size_t from, std::size_t to, std::int64_t first_line,
              const std::filesystem::path& file, const Tokenizer& tokenizer);
  void resize_slices(std::size_t count) { slices_.resize(count); }

  std::size_t size() const { return lines_.size(); }
  std::size_t bytes() const { return text_.size(); }
  TokenisedLine operator[](std::size_t i) const;

 private:
  struct Line {
    std::size_t text_begin, text_length;
    std::uint64_t file_begin;
    std::size_t slice, ids_begin, ids_length;
  };

  std::string_view text(const Line& line) const {
    return std::string_view(text_).substr(line.text_begin, line.text_length);
  }

  std::string text_;
  std::vector<Line> lines_;
  std::vector<std::vector<std::int32_t>> slices_;  // ids, of whole lines each
};

/// Reads both files once. Throws DataError as open_corpus() does for lines that are no UTF-8 and
/// for files of different length: before a tokenizer is trained, which may take minutes.
void check_text(const std::filesystem::path& source, const std::filesystem::path& target);

class CorpusPass {
 public:
  /// Throws FileError where a file cannot be read.
  CorpusPass(const Corpus& corpus, int threads);

  /// The next block; false at the end of the files. Throws as open_corpus() does.
  bool next();
  /// Pairs of the block.
  std::size_t size() const { return source_block_.size(); }
  TokenisedLine source(std::size_t i) const { return source_block_[i]; }
  TokenisedLine target(std::size_t i) const { return target_block_[i]; }
  /// Line of the block's first pair, from 1.
  std::int64_t first_line() const { return first_line_; }

  const LineReader& source_reader() const { return source_reader_; }
  const LineReader& target_reader() const { return target_reader_; }

 private:
  void read_block();
  void encode_block();
  void fail_if_unequal();

  const Corpus& corpus_;
  int threads_;
  LineReader source_reader_, target_reader_;
  LineBlock source_block_, target_block_;
  std::int64_t first_line_ = 1;
  bool source_ended_ = false, target_ended_ = false;
};

}  // namespace heddle
