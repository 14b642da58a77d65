#include "data/line_sample.h"

#include "autograd/base/random.h"

namespace heddle {

void LineSample::add(std::string_view line) {
  const std::uint64_t index = seen_++;
  if (lines_.size() < most_) {
    lines_.emplace_back(line);
    return;
  }
  constexpr PhiloxKey kKey = {0x5EED, 0x11E5};
  const PhiloxCounter bits = philox(
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 0, 0}, kKey);
  const double place = unit_interval(bits[0], bits[1]) * static_cast<double>(seen_);
  const auto replaced = static_cast<std::uint64_t>(place);
  if (replaced < most_) lines_[replaced] = line;
}

}  // namespace heddle
