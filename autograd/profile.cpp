#include "autograd/profile.h"

#include <algorithm>

namespace heddle {

std::size_t OpProfile::index_of(std::string_view op) {
  const auto found = std::ranges::find(entries_, op, &Entry::op);
  const auto index = static_cast<std::size_t>(found - entries_.begin());
  if (found == entries_.end()) entries_.push_back({op});
  return index;
}

void OpProfile::charge(std::int64_t now) {
  if (running_ != kNothing) entries_[running_].nanoseconds += now - since_;
  since_ = now;
}

std::size_t OpProfile::enter(std::string_view op, std::int64_t now) {
  const std::size_t interrupted = running_;
  charge(now);
  running_ = index_of(op);
  ++entries_[running_].runs;
  return interrupted;
}

void OpProfile::leave(std::size_t interrupted, std::int64_t now) {
  charge(now);
  running_ = interrupted;
}

void OpProfile::add(const OpProfile& other) {
  for (const Entry& entry : other.entries_) {
    Entry& sum = entries_[index_of(entry.op)];
    sum.nanoseconds += entry.nanoseconds;
    sum.runs += entry.runs;
  }
}

}  // namespace heddle
