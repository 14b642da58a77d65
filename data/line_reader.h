// The lines of a file of text, plain or compressed with gzip, one at a time.
//
// Only '\n' ends a line: NUL, U+0085, U+2028 and a lone '\r' are text like any other. A '\r' before
// the '\n' (or before the end of the file) is cut and counted, and a byte order mark in front of
// the first line is left out, so that files from Windows work. The last line needs no '\n'. Whether
// a file is compressed is seen by its first two bytes, not by its name: they are no UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "data/corpus_file.h"

namespace heddle {

/// What compressed files begin with; it is no UTF-8.
inline constexpr std::string_view kGzipMagic = "\x1f\x8b";

/// Throws DataError, naming file and line, unless the text of the line is UTF-8.
void check_utf8(const std::filesystem::path& file, std::int64_t number, std::string_view text);

class LineReader {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{64} << 20;  // bytes

  /// Throws FileError where the file cannot be read.
  explicit LineReader(std::filesystem::path path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line, without its end, valid until the next call; false after the last. Throws
  /// FileError where compressed data are cut short or damaged, DataError for a line longer than
  /// kLongestLine, and for a file in UTF-16 or UTF-32.
  bool next(std::string_view& line);

  /// Of the line that next() gave last, counted from 1; 0 before the first.
  std::int64_t number() const { return number_; }
  /// Where that line begins, in bytes of uncompressed text.
  std::uint64_t begin() const { return line_begin_; }
  /// Lines so far that ended in "\r\n".
  std::int64_t crlf_lines() const { return crlf_lines_; }
  bool compressed() const { return inflater_ != nullptr; }
  const CorpusFile& file() const { return file_; }

 private:
  struct Inflater;

  void check_encoding() const;
  bool find_line_end(std::size_t& end);
  bool refill();
  std::size_t read_text(std::span<char> text);
  std::size_t read_compressed(std::span<char> text);
  bool read_raw();
  bool begin_member();
  [[noreturn]] void fail_damaged(const char* what) const;

  CorpusFile file_;
  std::unique_ptr<Inflater> inflater_;  // of a compressed file
  std::vector<char> raw_;               // bytes of the file that were not looked at yet:
  std::size_t raw_begin_ = 0, raw_end_ = 0;
  std::vector<char> text_;  // of which [begin_, end_) was not given yet
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t text_begin_ = 0;  // where text_[begin_] is in the uncompressed text
  std::uint64_t line_begin_ = 0;
  std::int64_t number_ = 0;
  std::int64_t crlf_lines_ = 0;
};

}  // namespace heddle
