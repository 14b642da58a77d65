// What the optimizers share: the loop over the slab, what an update is made from, and moments.
//
// The trained parts of the slab are cut into pieces for one parallel loop. Neighbours under the
// same rule are one range, whatever parameters they belong to; frozen parameters are in none.
// Ranges are cut every 16,384 elements, so that where a piece begins depends on shapes and rules
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/gradient_slab.h"
#include "autograd/parameter.h"
#include "optim/groups.h"

namespace heddle {

struct SlabRange {
  std::int64_t begin, end;  // elements of the slab
  double learning_rate_factor;
  double weight_decay;
};

std::vector<SlabRange> trained_ranges(const ParameterStore& store,
                                      std::span<const ParameterRule> rules);

/// What an update is made from.
struct UpdateInput {
  ParameterStore& store;  // of the parameters that change
  const GradientSlab& gradients;
  double learning_rate;
  std::int64_t update;    // counted from 1
  double gradient_scale;  // of clipping
  int threads;
};

/// Calls update_range(range) for every range, in parallel.
template <class Body>
void for_each_range(std::span<const SlabRange> ranges, int threads, const Body& update_range) {
  parallel_for(
      threads, static_cast<std::int64_t>(ranges.size()), 1,
      [&](std::int64_t i, std::int64_t) { update_range(ranges[static_cast<std::size_t>(i)]); });
}

/// A part of an optimizer's memory, as checkpoints name it.
struct StateTensor {
  std::string name;
  Shape shape;
  void* data;
};

/// One value for each element of the parameter slab, zero at first.
class Moment {
 public:
  void allocate(const ParameterStore& store);
  void* slab() const { return slab_.get(); }
  /// The parts of trained parameters, as "<prefix>.<parameter>".
  void add_state(const char* prefix, const ParameterStore& store,
                 std::span<const ParameterRule> rules, std::vector<StateTensor>& state) const;

 private:
  std::shared_ptr<void> slab_;
};

}  // namespace heddle
