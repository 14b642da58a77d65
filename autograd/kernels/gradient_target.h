// Where a backward kernel puts a gradient: the first write overwrites, later ones add.
#pragma once

namespace heddle::kernels {

template <class T>
struct GradientTarget {
  T* data = nullptr;  // null: nobody wants this gradient
  bool add = false;   // false: whatever the memory holds is overwritten, never read

  explicit operator bool() const { return data != nullptr; }
  /// The factor of the old value, as BLAS calls it.
  T beta() const { return add ? T{1} : T{0}; }
};

/// Writes one element.
template <class T>
[[gnu::always_inline]] inline void put(const GradientTarget<T>& target, long index, T value) {
  target.data[index] = target.add ? target.data[index] + value : value;
}

}  // namespace heddle::kernels
