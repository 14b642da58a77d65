// Vectors of the machine's width, in the compiler's own vector types: +, -, *, /, comparisons and
// `mask ? a : b` work on them as on numbers.
//
// Reductions over a row keep a fixed number of accumulators and add them in a fixed order, so that
// a result depends on the row and the build alone.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace heddle::kernels {

#ifdef __AVX512F__
inline constexpr int kVectorBytes = 64;
#else
inline constexpr int kVectorBytes = 32;
#endif

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  using type [[gnu::vector_size(kVectorBytes)]] = float;
};
template <>
struct VectorOf<double> {
  using type [[gnu::vector_size(kVectorBytes)]] = double;
};
template <>
struct VectorOf<std::int32_t> {
  using type [[gnu::vector_size(kVectorBytes)]] = std::int32_t;
};
template <>
struct VectorOf<std::uint32_t> {
  using type [[gnu::vector_size(kVectorBytes)]] = std::uint32_t;
};
template <>
struct VectorOf<std::int64_t> {
  using type [[gnu::vector_size(kVectorBytes)]] = std::int64_t;
};

/// A vector of kLanes<T> elements.
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

/// The integer type as wide as T: what comparing two Vector<T> gives.
template <class T>
using LaneInteger = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

/// Reads one vector; `source` need not be aligned.
template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* source) {
  Vector<T> result;
  std::memcpy(&result, source, sizeof result);
  return result;
}

template <class T>
[[gnu::always_inline]] inline void store(T* target, Vector<T> value) {
  std::memcpy(target, &value, sizeof value);
}

/// Reads `count` < kLanes<T> elements, the others are `filler`.
template <class T>
inline Vector<T> load_part(const T* source, std::int64_t count, T filler = T{}) {
  Vector<T> result = filler - Vector<T>{};
  for (std::int64_t i = 0; i < count; ++i) result[i] = source[i];
  return result;
}

template <class T>
inline void store_part(T* target, Vector<T> value, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) target[i] = value[i];
}

template <class T>
[[gnu::always_inline]] inline Vector<T> broadcast(T value) {
  return value - Vector<T>{};
}

/// The sum of all lanes, added pairwise: always in the same order.
template <class T>
[[gnu::always_inline]] inline T sum_of_lanes(Vector<T> v) {
  T lanes[kLanes<T>];
  std::memcpy(lanes, &v, sizeof v);
#pragma GCC unroll 4
  for (int width = kLanes<T> / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

/// The largest of all lanes.
template <class T>
[[gnu::always_inline]] inline T max_of_lanes(Vector<T> v) {
  T lanes[kLanes<T>];
  std::memcpy(lanes, &v, sizeof v);
#pragma GCC unroll 4
  for (int width = kLanes<T> / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i)
      lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
  }
  return lanes[0];
}

}  // namespace heddle::kernels
