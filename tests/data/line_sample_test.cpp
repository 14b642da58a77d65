#include "data/line_sample.h"

#include <doctest/doctest.h>

namespace heddle::testing {
namespace {

LineSample sample_of(int lines, std::size_t most) {
  LineSample sample(most);
  for (int i = 0; i < lines; ++i) sample.add(std::to_string(i));
  return sample;
}

TEST_CASE("line sample: few lines are kept as they are") {
  LineSample sample = sample_of(3, 3);
  CHECK(sample.lines() == std::vector<std::string>{"0", "1", "2"});
}

TEST_CASE("line sample: many lines are drawn evenly, and always the same ones") {
  constexpr int kLines = 20000, kMost = 2000, kParts = 10;
  LineSample sample = sample_of(kLines, kMost);
  CHECK(sample.lines().size() == kMost);
  CHECK(sample.lines() == sample_of(kLines, kMost).lines());
  int counts[kParts] = {};
  for (const std::string& line : sample.lines()) ++counts[std::stoi(line) / (kLines / kParts)];
  // Of each tenth 200 are expected, with a standard deviation of 13.
  for (const int count : counts) CHECK(std::abs(count - kMost / kParts) < 55);
}

}  // namespace
}  // namespace heddle::testing
