// A uniform sample of the lines of a text of unknown length, in one pass (reservoir sampling,
// Vitter 1985, algorithm R): line i replaces a random one of n with probability n / i. Random
// numbers depend on i alone, so that a text always gives the same sample.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class LineSample {
 public:
  explicit LineSample(std::size_t most) : most_(most) {}

  void add(std::string_view line);
  std::vector<std::string>& lines() { return lines_; }

 private:
  std::size_t most_;
  std::uint64_t seen_ = 0;
  std::vector<std::string> lines_;
};

}  // namespace heddle
