// The gradients of all parameters in one lane, laid out like the parameter slab.
//
// The first write after reset() overwrites, later ones add: nothing is cleared in between.
// `written` lives from one optimizer update to the next, over all micro-batches of a lane.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/kernels/gradient_sink.h"
#include "autograd/parameter.h"

namespace heddle {

class GradientSlab {
 public:
  /// The store must be allocated and outlive the slab.
  explicit GradientSlab(const ParameterStore& store);
  GradientSlab(GradientSlab&&) = default;
  GradientSlab& operator=(GradientSlab&&) = default;

  const ParameterStore& store() const { return *store_; }

  /// After an optimizer update: all parameters count as unwritten, whatever the memory holds.
  void reset();
  /// Whether every parameter of the range has been written since the last reset.
  bool written(Parameter parameter) const;
  void* data(Parameter parameter) const;
  void* slab() const { return slab_.get(); }

  /// Where to write the gradient of a parameter, or of joined neighbours; counts as written from
  /// now on. Where only some neighbours were written the others are cleared first.
  template <class T>
  kernels::GradientSink<T> sink(Parameter parameter);

  /// Makes unwritten parameters zero, so that the slab can be read as a whole.
  void clear_unwritten(int threads);

 private:
  friend void sum_lanes(std::span<GradientSlab* const> lanes, int threads);

  const ParameterStore* store_;
  std::shared_ptr<void> slab_;
  std::vector<std::uint8_t> written_;  // per parameter
};

/// Adds the gradients of all lanes into lanes[0], by a fixed binary tree: the result depends on the
/// number of lanes, never on the number of threads. Unwritten ranges count as zero and are zero in
/// the result; the other lanes' slabs are used as scratch and reset.
/// Over several processes the local trees are parts of the global one where each runs 2^n lanes.
void sum_lanes(std::span<GradientSlab* const> lanes, int threads);

}  // namespace heddle
