#include "train/update_timing.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "autograd/base/check.h"
#include "autograd/numeric_guard.h"
#include "optim/clip.h"
#include "train/product_timing.h"

namespace heddle {

namespace {

constexpr int kWarmUpUpdates = 2;
constexpr int kProfiledUpdates = 3;
constexpr int kProductRuns = 5;

// Updates of one batch, numbered from 1.
class Updates {
 public:
  Updates(Lanes& lanes, Optimizer& optimizer, std::span<const MicroBatch> micro_batches,
          const UpdateTimingOptions& options)
      : lanes_(lanes), optimizer_(optimizer), micro_batches_(micro_batches), options_(options) {}

  /// Nanoseconds of forward and backward, then of the optimizer's step.
  struct Times {
    std::int64_t gradients, step;
    std::int64_t sum() const { return gradients + step; }
  };
  Times run() {
    ++update_;
    const std::int64_t begin = nanoseconds_now();
    const UpdateResult result =
        lanes_.run(micro_batches_, {.seed = 1, .update = static_cast<std::uint64_t>(update_)});
    const std::int64_t middle = nanoseconds_now();
    check<NumericError>(is_finite_update(result.loss, result.gradient_norm), "update ", update_,
                        ": the loss is ", result.loss, ", the norm of the gradients ",
                        result.gradient_norm);
    optimizer_.step(lanes_.gradients(), options_.learning_rate, update_,
                    clip_scale(result.gradient_norm, options_.clip_norm), options_.threads);
    return {middle - begin, nanoseconds_now() - middle};
  }

 private:
  Lanes& lanes_;
  Optimizer& optimizer_;
  std::span<const MicroBatch> micro_batches_;
  const UpdateTimingOptions& options_;
  std::int64_t update_ = 0;
};

// What updates with a profile do, after those that were timed.
void profile_updates(Updates& updates, Lanes& lanes, UpdateProfile& profile) {
  profile.most_events = 100'000;
  lanes.set_profile(&profile);
  for (int i = 0; i < kProfiledUpdates; ++i) profile.optimizer_nanoseconds += updates.run().step;
  lanes.set_profile(nullptr);
}

// Each lane's products with all its rows at once: its micro-batches have the same products with
// fewer rows each.
std::vector<ProductTiming::Products> products_of(const UpdateProfile& profile,
                                                 std::span<const MicroBatch> micro_batches) {
  std::vector<ProductTiming::Products> lanes;
  for (std::size_t i = 0; i < profile.lanes.size(); ++i) {
    const auto parts = std::ranges::count_if(
        micro_batches, [&](const MicroBatch& m) { return !m[i].target_output.empty(); });
    const auto products = profile.lanes[i].products();
    const std::size_t count = parts == 0 ? 0 : products.size() / static_cast<std::size_t>(parts);
    ProductTiming::Products& whole =
        lanes.emplace_back(products.begin(), products.first(count).end());
    for (std::size_t p = count; p < products.size(); ++p) whole[p % count].m += products[p].m;
  }
  return lanes;
}

// Updates and their products alone take turns, so that both meet the same machine: others may be at
// work on it.
void time_updates(Updates& updates, int count, const std::vector<ProductTiming::Products>& lanes,
                  int threads, UpdateTiming& timing) {
  using kernels::GemmLibrary;
  const bool one_library = *kernels::one_dnn_version() == '\0';
  std::optional<ProductTiming> products, faster_products;
  std::vector<double> seconds;
  int runs = 0;
  for (int done = 1; done <= count; ++done) {
    seconds.push_back(static_cast<double>(updates.run().sum()) * 1e-9);
    if (!products) {
      timing.peak_bytes = peak_resident_bytes();  // before memory that only measuring needs
      products.emplace(lanes, threads, GemmLibrary::kOpenBlas);
      if (!one_library) faster_products.emplace(lanes, threads, GemmLibrary::kFaster);
    }
    for (; runs * count < kProductRuns * done; ++runs) {
      products->run();
      if (faster_products) faster_products->run();
    }
  }
  timing.seconds = median(seconds);
  timing.product_seconds = products->seconds();
  if (faster_products) timing.faster_product_seconds = faster_products->seconds();
}

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;  // Linux counts KiB
}

// Where /proc cannot be written, the peak is that of the whole process: more, never less.
void forget_peak_resident_bytes() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5\n";
}

UpdateTiming measure_updates(Lanes& lanes, Optimizer& optimizer,
                             std::span<const MicroBatch> micro_batches,
                             const UpdateTimingOptions& options,
                             const std::function<void(std::string_view)>& say) {
  check(options.updates >= 1, "measure_updates: ", options.updates,
        " updates are not at least one");
  Updates updates(lanes, optimizer, micro_batches, options);
  UpdateTiming timing;
  for (const MicroBatch& batch : micro_batches) timing.target_tokens += target_tokens(batch);
  say("warming up");
  UpdateProfile first;  // that the list of products comes from what an update does
  first.keeps_products = true;
  lanes.set_profile(&first);
  updates.run();
  lanes.set_profile(nullptr);
  for (int i = 1; i < kWarmUpUpdates; ++i) updates.run();
  say("timing updates and their matrix products");
  time_updates(updates, options.updates, products_of(first, micro_batches), options.threads,
               timing);
  say("timing operations");
  profile_updates(updates, lanes, timing.profile);
  timing.families = family_times(timing.profile, std::min(lanes.count(), options.threads));
  return timing;
}

}  // namespace heddle
