#include "autograd/base/parallel.h"

#include <omp.h>

#include <exception>

#include "autograd/base/cpu_quota.h"

namespace heddle {

int available_threads() {
  static const int threads = threads_within(cpu_quota(), omp_get_num_procs());
  return threads;
}

void run_lanes(int lanes, int threads, int threads_per_lane, const std::function<void(int)>& body) {
  if (lanes == 1) return body(0);  // threads of its own would be made anew for every nested loop
  std::exception_ptr error;        // of the lowest lane that threw
  int failed = lanes;
  const auto guarded = [&](int lane) {
    try {
      body(lane);
    } catch (...) {
#pragma omp critical(heddle_lanes)
      if (lane < failed) {
        failed = lane;
        error = std::current_exception();
      }
    }
  };
  if (threads_per_lane > 1 && omp_get_max_active_levels() < 2) omp_set_max_active_levels(2);
#pragma omp parallel for num_threads(std::min(lanes, threads)) schedule(static, 1)
  for (int lane = 0; lane < lanes; ++lane) guarded(lane);
  if (error) std::rethrow_exception(error);
}

}  // namespace heddle
