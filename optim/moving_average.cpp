#include "optim/moving_average.h"

#include <algorithm>
#include <cstring>

#include "autograd/base/aligned.h"
#include "autograd/base/check.h"
#include "autograd/base/parallel.h"
#include "autograd/parameter_file.h"

namespace heddle {

MovingAverage::MovingAverage(ParameterStore& store, double decay) : store_(store), decay_(decay) {
  const auto bytes = static_cast<std::size_t>(store.elements()) * size_of(store.dtype());
  slab_ = allocate_zeros(bytes);
  std::memcpy(slab_.get(), store.slab(), bytes);
}

void MovingAverage::follow(std::int64_t update, int threads) {
  constexpr std::int64_t kGrain = 16384;
  const double t = static_cast<double>(update);
  const double share = 1.0 - std::min(decay_, (1.0 + t) / (10.0 + t));
  dispatch(store_.dtype(), "moving average", [&](auto zero) {
    using T = decltype(zero);
    T* const average = static_cast<T*>(slab_.get());
    const T* const weights = static_cast<const T*>(store_.slab());
    const T factor = static_cast<T>(share);
    parallel_for(threads, store_.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) average[i] += factor * (weights[i] - average[i]);
    });
  });
}

void MovingAverage::save(const std::filesystem::path& file) {
  const InUse average(*this);
  save_parameters(file, store_);
}

void MovingAverage::load(const std::filesystem::path& file) {
  const InUse average(*this);
  const ParameterDifferences found = load_matching_parameters(file, store_);
  check<FileError>(found.none(), file.string(),
                   ": its averages are not the model's: ", found.message());
}

}  // namespace heddle
