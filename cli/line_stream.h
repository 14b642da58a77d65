// Lines from a file descriptor, in windows: many lines while they come fast, few when the writer
// waits for an answer.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace heddle {

class LineStream {
 public:
  /// `descriptor` stays the caller's; `name` stands in errors.
  LineStream(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  /// The next lines, without their ends ("\n" or "\r\n"): `most` of them, or those that have come
  /// when the input has been idle for `idle_milliseconds` or the first of them has waited for ten
  /// times as long, or all that is left. Empty at the end. Throws FileError where reading fails,
  /// DataError where a line is longer than LineReader takes.
  std::vector<std::string> next(std::size_t most, int idle_milliseconds);

 private:
  bool take(std::string& line);
  bool readable_within(int milliseconds) const;
  void read();

  int descriptor_;
  std::string name_;
  std::string buffer_;  // from begin_ on: not given yet
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;  // up to here there is no end of a line
  bool ended_ = false;
};

}  // namespace heddle
