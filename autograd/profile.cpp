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
  if (running_ != kNothing) {
    Entry& entry = entries_[running_];
    (running_pass_ == Pass::kForward ? entry.forward : entry.backward) += now - since_;
  }
  since_ = now;
}

OpProfile::Mark OpProfile::enter(std::string_view op, Pass pass, std::int64_t now) {
  const Mark mark{running_, running_pass_, now};
  charge(now);
  running_ = index_of(op);
  running_pass_ = pass;
  ++entries_[running_].runs;
  return mark;
}

void OpProfile::leave(const Mark& mark, std::int64_t now) {
  charge(now);
  if (events_.size() < most_events_) {
    events_.push_back({entries_[running_].op, running_pass_, mark.begin, now});
  }
  running_ = mark.interrupted;
  running_pass_ = mark.interrupted_pass;
}

void OpProfile::add(const OpProfile& other) {
  for (const Entry& entry : other.entries_) {
    Entry& sum = entries_[index_of(entry.op)];
    sum.forward += entry.forward;
    sum.backward += entry.backward;
    sum.runs += entry.runs;
  }
}

}  // namespace heddle
