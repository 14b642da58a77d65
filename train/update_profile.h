// Where the time of updates goes: by operation in every lane, by family of kernels in all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/profile.h"

namespace heddle {

struct UpdateProfile {
  bool keeps_products = false;   // of every lane
  std::size_t most_events = 0;   // of every lane
  std::vector<OpProfile> lanes;  // made by Lanes
  std::int64_t updates = 0;
  std::int64_t lanes_nanoseconds = 0;  // forward and backward, until the last lane has ended
  std::int64_t sum_nanoseconds = 0;    // adding the lanes' gradients, and their norm
  std::int64_t optimizer_nanoseconds = 0;

  /// Of all lanes together.
  OpProfile operations() const;
};

/// One part of an update. Lanes run side by side: seconds are those of all lanes by the number that
/// run at a time.
struct FamilyTime {
  std::string_view family;
  std::string_view about;  // what it holds
  double seconds = 0.0;    // of one update
  double backward = 0.0;   // of these, in backward
};

/// The longest first; together they are an update.
std::vector<FamilyTime> family_times(const UpdateProfile& profile, int lanes_at_a_time);

/// The events of all lanes as a trace that chrome://tracing and Perfetto show.
std::string trace_text(const UpdateProfile& profile);

}  // namespace heddle
