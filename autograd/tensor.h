// A tensor: a small, trivially copyable view of contiguous row-major memory that somebody else owns
// (the arena of a step, the parameter slab, a cache).
#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/base/check.h"
#include "autograd/base/dtype.h"
#include "autograd/base/shape.h"

namespace heddle {

/// Which context made a tensor, and in which step: memory of a step is gone when the next begins.
struct Stamp {
  std::uint32_t context = 0;
  std::uint32_t generation = 0;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

struct Tensor {
  static constexpr std::int32_t kNoSlot = -1;

  void* data = nullptr;
  Shape shape;
  DType dtype = DType::kFloat32;
  std::int32_t slot = kNoSlot;  // index into the tape's table of gradients
  Stamp stamp;

  std::int64_t elements() const { return shape.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  /// Whether backward computes a gradient for this tensor.
  bool needs_gradient() const { return slot != kNoSlot; }

  /// The elements; throws where T is not the tensor's type.
  template <class T>
  T* as() const {
    check(dtype == dtype_of<T>, "tensor ", shape, ": holds ", dtype, ", read as ", dtype_of<T>);
    return static_cast<T*>(data);
  }

  /// Element `index` of a floating tensor as a double.
  double value(std::int64_t index = 0) const {
    check(index >= 0 && index < elements(), "tensor ", shape, ": element ", index, " is outside");
    return dispatch(dtype, "tensor.value",
                    [&](auto zero) { return static_cast<double>(as<decltype(zero)>()[index]); });
  }
};

static_assert(std::is_trivially_copyable_v<Tensor>);

}  // namespace heddle
