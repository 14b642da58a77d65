#include "cli/line_stream.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "autograd/base/check.h"
#include "data/line_reader.h"

namespace heddle {

// The next whole line of the buffer; at the end of the input also one without an end.
bool LineStream::take(std::string& line) {
  const std::size_t end = buffer_.find('\n', std::max(begin_, searched_));
  if (end == std::string::npos && (!ended_ || begin_ == buffer_.size())) {
    searched_ = buffer_.size();
    return false;
  }
  const std::size_t stop = end == std::string::npos ? buffer_.size() : end;
  line.assign(buffer_, begin_, stop - begin_);
  if (line.ends_with('\r')) line.pop_back();
  begin_ = end == std::string::npos ? stop : stop + 1;
  searched_ = begin_;
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
    count = ::read(descriptor_, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  check<FileError>(count >= 0, "cannot read ", name_, ": ", std::generic_category().message(errno));
  ended_ = count == 0;
  buffer_.append(bytes.data(), static_cast<std::size_t>(count));
}

std::vector<std::string> LineStream::next(std::size_t most, int idle_milliseconds) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::milliseconds most_waiting(10 * idle_milliseconds);
  std::vector<std::string> lines;
  std::string line;
  Clock::time_point first;
  for (;;) {
    const bool none = lines.empty();
    while (lines.size() < most && take(line)) lines.push_back(line);
    if (none) first = Clock::now();
    if (lines.size() == most || ended_) return lines;
    const bool waiting = !lines.empty();
    if (waiting && Clock::now() - first >= most_waiting) return lines;
    if (waiting && !readable_within(idle_milliseconds)) return lines;
    read();
  }
}

}  // namespace heddle
