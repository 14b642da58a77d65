// Where a backward kernel puts a gradient: the first write overwrites, later ones add.
#pragma once

namespace heddle::kernels {

template <class T>
struct GradientSink {
  T* data = nullptr;  // null: nobody wants this gradient
  bool add = false;   // false: whatever the memory holds is overwritten, never read

  explicit operator bool() const { return data != nullptr; }
  /// The factor of the old value, as BLAS calls it.
  T beta() const { return add ? T{1} : T{0}; }
};

/// Writes one element.
template <class T>
[[gnu::always_inline]] inline void put(const GradientSink<T>& sink, long index, T value) {
  sink.data[index] = sink.add ? sink.data[index] + value : value;
}

}  // namespace heddle::kernels
