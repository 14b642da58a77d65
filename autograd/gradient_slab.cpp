#include "autograd/gradient_slab.h"

#include <algorithm>

#include "autograd/base/aligned.h"
#include "autograd/base/check.h"
#include "autograd/base/parallel.h"

namespace heddle {

namespace {

// Elements of the slab that one thread sums at a time.
constexpr std::int64_t kSumBlock = 32768;

}  // namespace

GradientSlab::GradientSlab(const ParameterStore& store)
    : store_(&store), written_(store.entries().size(), 0) {
  check(store.allocated(), "gradients: the parameters are not allocated yet");
  slab_ = allocate_zeros(static_cast<std::size_t>(store.elements()) * size_of(store.dtype()));
}

void GradientSlab::reset() {
  std::fill(written_.begin(), written_.end(), std::uint8_t{0});
}

bool GradientSlab::written(Parameter parameter) const {
  const auto begin = written_.begin() + parameter.first;
  return std::all_of(begin, begin + parameter.count, [](std::uint8_t w) { return w != 0; });
}

void* GradientSlab::data(Parameter parameter) const {
  check(parameter.store == store_, "gradient of ", parameter.name(), ": belongs to another store");
  return static_cast<std::byte*>(slab_.get()) +
         static_cast<std::size_t>(store_->entry(parameter.first).offset) * size_of(store_->dtype());
}

template <class T>
kernels::GradientSink<T> GradientSlab::sink(Parameter parameter) {
  T* const base = static_cast<T*>(slab_.get());
  const auto flags = std::span(written_).subspan(static_cast<std::size_t>(parameter.first),
                                                 static_cast<std::size_t>(parameter.count));
  const auto is_written = [](std::uint8_t w) { return w != 0; };
  const bool add = std::any_of(flags.begin(), flags.end(), is_written);
  for (std::int32_t i = 0; i < parameter.count; ++i) {
    std::uint8_t& flag = flags[static_cast<std::size_t>(i)];
    const ParameterStore::Entry& entry = store_->entry(parameter.first + i);
    if (add && flag == 0) std::fill_n(base + entry.offset, entry.shape.elements(), T{0});
    flag = 1;
  }
  return {base + store_->entry(parameter.first).offset, add};
}

void GradientSlab::clear_unwritten(int threads) {
  GradientSlab* const lanes[] = {this};
  sum_lanes(lanes, threads);
}

namespace {

// Elements [begin, end) of the slab, all of parameter `index`, summed over the lanes by a binary
// tree: 0 += 1, 2 += 3, ...; then 0 += 2, ... A lane that holds nothing takes its neighbour's.
template <class T, class Written>
void sum_segment(std::span<GradientSlab* const> lanes, const Written& written, std::int64_t begin,
                 std::int64_t end) {
  const auto slab = [&](std::size_t lane) { return static_cast<T*>(lanes[lane]->slab()); };
  const auto any = [&](std::size_t lane, std::size_t count) {
    const std::size_t last = std::min(lanes.size(), lane + count);
    while (lane < last && !written(lane)) ++lane;
    return lane < last;
  };
  for (std::size_t stride = 1; stride < lanes.size(); stride *= 2) {
    for (std::size_t lane = 0; lane + stride < lanes.size(); lane += 2 * stride) {
      if (!any(lane + stride, stride)) continue;
      T* const left = slab(lane);
      const T* const right = slab(lane + stride);
      if (any(lane, stride)) {
        for (std::int64_t i = begin; i < end; ++i) left[i] += right[i];
      } else {
        std::copy(right + begin, right + end, left + begin);
      }
    }
  }
  if (!any(0, lanes.size())) std::fill(slab(0) + begin, slab(0) + end, T{0});
}

}  // namespace

void sum_lanes(std::span<GradientSlab* const> lanes, int threads) {
  check(!lanes.empty(), "sum_lanes: no lane given");
  const ParameterStore& store = lanes[0]->store();
  for (const GradientSlab* lane : lanes) {
    check(&lane->store() == &store, "sum_lanes: the lanes belong to different stores");
  }
  const auto entries = store.entries();
  const auto sum_block = [&]<class T>(T, std::int64_t begin, std::int64_t end) {
    const auto after = std::upper_bound(
        entries.begin(), entries.end(), begin,
        [](std::int64_t offset, const ParameterStore::Entry& e) { return offset < e.offset; });
    for (auto entry = after - 1; entry != entries.end() && entry->offset < end; ++entry) {
      const auto index = static_cast<std::size_t>(entry - entries.begin());
      const auto written = [&](std::size_t lane) { return lanes[lane]->written_[index] != 0; };
      sum_segment<T>(lanes, written, std::max(begin, entry->offset),
                     std::min(end, entry->offset + entry->shape.elements()));
    }
  };
  dispatch(store.dtype(), "sum_lanes", [&](auto zero) {
    parallel_for(threads, store.elements(), kSumBlock,
                 [&](std::int64_t begin, std::int64_t end) { sum_block(zero, begin, end); });
  });
  std::fill(lanes[0]->written_.begin(), lanes[0]->written_.end(), std::uint8_t{1});
  for (GradientSlab* lane : lanes.subspan(1)) lane->reset();
}

template kernels::GradientSink<float> GradientSlab::sink(Parameter);
template kernels::GradientSink<double> GradientSlab::sink(Parameter);

}  // namespace heddle
