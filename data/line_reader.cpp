#include "data/line_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "autograd/base/check.h"
#include "data/utf8.h"

namespace heddle {

namespace {
constexpr std::size_t kBufferSize = std::size_t{256} << 10;
// Of inflateInit2: the largest window, wrapped as gzip does.
constexpr int kGzipWindow = 15 + 16;
}  // namespace

struct LineReader::Inflater {
  Inflater() {
    if (::inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { ::inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  bool inside = true;  // a member: a file may be several, one after the other
};

LineReader::LineReader(std::filesystem::path path)
    : file_(std::move(path)), raw_(kBufferSize), text_(kBufferSize) {
  // A pipe may give one byte at a time.
  while (raw_end_ < kGzipMagic.size()) {
    const std::size_t count = file_.read(std::span(raw_).subspan(raw_end_));
    if (count == 0) break;
    raw_end_ += count;
  }
  if (std::string_view(raw_.data(), raw_end_).starts_with(kGzipMagic)) {
    inflater_ = std::make_unique<Inflater>();
  }
}

LineReader::~LineReader() = default;

bool LineReader::next(std::string_view& line) {
  std::size_t line_end = 0;
  const bool ended = find_line_end(line_end);
  if (!ended && line_end == begin_) return false;
  if (number_ == 0) check_encoding();
  line_begin_ = text_begin_;
  ++number_;
  line = std::string_view(text_.data() + begin_, line_end - begin_);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
    ++crlf_lines_;
  }
  if (number_ == 1) {
    const std::size_t bytes = line.size();
    line = without_byte_order_mark(line);
    line_begin_ += bytes - line.size();
  }
  const std::size_t next_begin = line_end + (ended ? 1 : 0);
  text_begin_ += next_begin - begin_;
  begin_ = next_begin;
  return true;
}

/// UTF-16 is not always invalid as UTF-8, and zeros are characters.
void LineReader::check_encoding() const {
  const std::string_view encoding = wide_encoding({text_.data() + begin_, end_ - begin_});
  const std::string name = file_.path().string();
  check<DataError>(encoding.empty(), name, ": looks like ", encoding,
                   ", not UTF-8; convert it, for example with iconv -f ", encoding, " -t UTF-8");
}

/// Where the line ends that begins at begin_, which refilling may move; false where it ends with
/// the file.
bool LineReader::find_line_end(std::size_t& end) {
  std::size_t searched = 0;  // bytes of the line without an end
  while (true) {
    const char* const from = text_.data() + begin_ + searched;
    const std::size_t length = end_ - begin_ - searched;
    const void* const found = length == 0 ? nullptr : std::memchr(from, '\n', length);
    if (found != nullptr) {
      end = static_cast<std::size_t>(static_cast<const char*>(found) - text_.data());
      return true;
    }
    searched = end_ - begin_;
    check<DataError>(searched <= kLongestLine, file_.path().string(), ":", number_ + 1,
                     ": a line of more than ", kLongestLine >> 20,
                     " MiB; is this a file of text with a sentence on each line?");
    if (!refill()) {
      end = end_;
      return false;
    }
  }
}

/// Appends text; false at the end of the file.
bool LineReader::refill() {
  if (begin_ > 0) {
    std::memmove(text_.data(), text_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == text_.size()) text_.resize(2 * text_.size());
  const std::size_t count = read_text(std::span(text_).subspan(end_));
  end_ += count;
  return count > 0;
}

std::size_t LineReader::read_text(std::span<char> text) {
  if (compressed()) return read_compressed(text);
  if (raw_begin_ == raw_end_) return file_.read(text);
  // What was read to see whether the file is compressed.
  const std::size_t count = std::min(text.size(), raw_end_ - raw_begin_);
  std::memcpy(text.data(), raw_.data() + raw_begin_, count);
  raw_begin_ += count;
  return count;
}

std::size_t LineReader::read_compressed(std::span<char> text) {
  z_stream& stream = inflater_->stream;
  while (true) {
    if (!inflater_->inside && !begin_member()) return 0;
    if (!read_raw()) fail_damaged("the compressed data end too early");
    stream.next_in = reinterpret_cast<Bytef*>(raw_.data() + raw_begin_);
    stream.avail_in = static_cast<uInt>(raw_end_ - raw_begin_);
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    raw_begin_ = raw_end_ - stream.avail_in;
    inflater_->inside = status != Z_STREAM_END;
    const std::size_t count = text.size() - stream.avail_out;
    // Lines before the damage are given first; it is met again at the next call.
    if (count > 0) return count;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      fail_damaged("the compressed data are damaged");
    }
  }
}

/// Bytes of the file in raw_; false at its end.
bool LineReader::read_raw() {
  if (raw_begin_ < raw_end_) return true;
  raw_begin_ = 0;
  raw_end_ = file_.read(raw_);
  return raw_end_ > 0;
}

/// After the end of a member: whether another follows. Tapes and some archives pad with zeros.
bool LineReader::begin_member() {
  while (read_raw()) {
    if (raw_[raw_begin_] != '\0') {
      ::inflateReset(&inflater_->stream);
      inflater_->inside = true;
      return true;
    }
    ++raw_begin_;
  }
  return false;
}

void LineReader::fail_damaged(const char* what) const {
  fail<FileError>("cannot read ", file_.path().string(), ": ", what, " after line ", number_,
                  "; copy the file again");
}

void check_utf8(const std::filesystem::path& file, std::int64_t number, std::string_view text) {
  check<DataError>(!first_invalid_byte(text), file.string(), ":", number,
                   ": no valid UTF-8; convert the file, for example with iconv");
}

}  // namespace heddle
