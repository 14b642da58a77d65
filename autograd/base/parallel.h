// Loops and lanes on several threads, with results that do not depend on how many there are.
//
// A loop is cut into blocks whose boundaries depend on its length and grain alone; threads only
// decide who computes which block. The number of threads is an explicit argument everywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace heddle {

/// Calls body(begin, end) for the blocks [0, grain), [grain, 2 grain), ... of [0, count), on up to
/// `threads` threads. `body` must not throw and must not let blocks depend on each other.
template <class Body>
void parallel_for(int threads, std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t blocks = (count + grain - 1) / grain;
  if (threads <= 1 || blocks <= 1) {
    for (std::int64_t i = 0; i < blocks; ++i) body(i * grain, std::min(count, (i + 1) * grain));
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t i = 0; i < blocks; ++i) body(i * grain, std::min(count, (i + 1) * grain));
}

/// The grain that gives every block about 16,384 elements of work, where one item costs
/// `elements_per_item` of them.
inline std::int64_t grain_for(std::int64_t elements_per_item) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, elements_per_item));
}

/// Processors that this process may use, by its affinity and by the quota of its container.
int available_threads();

/// Runs body(lane) for lane 0 to lanes - 1 on up to `threads` threads, each of which may start
/// `threads_per_lane` threads of its own. All lanes run to their end; then the exception of the
/// lowest lane that threw, if any, is thrown again.
void run_lanes(int lanes, int threads, int threads_per_lane, const std::function<void(int)>& body);

}  // namespace heddle
