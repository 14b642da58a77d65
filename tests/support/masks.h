// Dropout masks as tensors, for compositions: element by element from the definition.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "autograd/context.h"
#include "autograd/kernels/dropout.h"

namespace heddle::testing {

/// scale where element i of `shape` is kept, else 0; `place` gives its logical row and column. The
/// mask is that of the next operation with dropout.
template <class Place>
Tensor mask_tensor(Context& context, const Shape& shape, DType dtype, double probability,
                   const Place& place) {
  const kernels::Dropout dropout = context.next_dropout(probability);
  const Tensor mask = context.empty(shape, dtype);
  dispatch(dtype, "mask", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const auto [row, column] = place(i);
      const bool kept = !dropout.active() || kernels::dropout_keeps(dropout, row, column);
      mask.as<T>()[i] = kept ? static_cast<T>(dropout.scale) : T{0};
    }
  });
  return mask;
}

/// For operations whose logical matrix is the tensor itself.
inline Tensor dropout_mask(Context& context, const Shape& shape, DType dtype, double probability) {
  const std::int64_t columns = shape.columns();
  return mask_tensor(context, shape, dtype, probability, [columns](std::int64_t i) {
    return std::pair{static_cast<std::uint64_t>(i / columns),
                     static_cast<std::uint32_t>(i % columns)};
  });
}

}  // namespace heddle::testing
