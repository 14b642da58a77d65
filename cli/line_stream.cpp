#include "cli/line_stream.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>

#include "autograd/base/check.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace heddle {

// The next whole line of the buffer; at the end of the input also one without an end.
bool LineStream::take(std::string& line) {
  const std::size_t end = buffer_.find('\n', std::max(begin_, searched_));
  if (end == std::string::npos && (!ended_ || begin_ == buffer_.size())) {
    searched_ = buffer_.size();
    return false;
  }
  const std::size_t stop = end == std::string::npos ? buffer_.size() : end;
  const auto text = std::string_view(buffer_).substr(begin_, stop - begin_);
  line = lines_ == 0 ? without_byte_order_mark(text) : text;
  if (line.ends_with('\r')) line.pop_back();
  begin_ = end == std::string::npos ? stop : stop + 1;
  searched_ = begin_;
  ++lines_;
  return true;
}

bool LineStream::readable_within(int milliseconds) const {
  pollfd poll_one{.fd = descriptor_, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&poll_one, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready != 0;  // on errors, too: read() tells which
}

void LineStream::read() {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  check<DataError>(buffer_.size() <= LineReader::kLongestLine, name_, ": a line of more than ",
                   LineReader::kLongestLine >> 20, " MiB");
  std::array<char, 1 << 16> bytes;
  ssize_t count = 0;
  do {
    if (count < 0) readable_within(-1);  // else a pipe that does not wait would be asked again
    count = ::read(descriptor_, bytes.data(), bytes.size());
  } while (count < 0 && (errno == EINTR || errno == EAGAIN));
  ended_ = count == 0;
  error_ = count < 0 ? errno : 0;
  if (count > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  if (lines_ > 0) return;
  check<DataError>(!buffer_.starts_with(kGzipMagic), name_,
                   ": is compressed with gzip; unpack it first, for example with zcat");
  const std::string_view encoding = wide_encoding(buffer_);
  check<DataError>(encoding.empty(), name_, ": looks like ", encoding,
                   ", not UTF-8; convert it, for example with iconv -f ", encoding, " -t UTF-8");
}

// Where no whole line is left: those before what is wrong are given first.
void LineStream::check_input() const {
  check<FileError>(error_ == 0, "cannot read ", name_, ": ",
                   std::generic_category().message(error_));
  check<DataError>(searched_ - begin_ <= LineReader::kLongestLine, name_, ":", lines_ + 1,
                   ": a line of more than ", LineReader::kLongestLine >> 20,
                   " MiB; is this text with a sentence on each line?");
}

std::vector<std::string> LineStream::next(std::size_t most, int idle_milliseconds) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::milliseconds most_waiting(10 * idle_milliseconds);
  std::vector<std::string> lines;
  std::string line;
  std::size_t bytes = 0;
  Clock::time_point first;
  for (;;) {
    const bool none = lines.empty();
    while (lines.size() < most && bytes < kMostBytes && take(line)) {
      bytes += line.size();
      lines.push_back(line);
    }
    if (none) first = Clock::now();
    if (lines.empty()) check_input();
    if (lines.size() == most || bytes >= kMostBytes || ended_ || error_ != 0) return lines;
    const bool waiting = !lines.empty();
    if (waiting && Clock::now() - first >= most_waiting) return lines;
    if (waiting && !readable_within(idle_milliseconds)) return lines;
    read();
  }
}

}  // namespace heddle
