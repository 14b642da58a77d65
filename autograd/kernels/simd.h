// Vectors of the machine's width, in the compiler's own vector types: +, -, *, /, comparisons and
// `mask ? a : b` work on them as on numbers.
//
// Reductions over a row keep a fixed number of accumulators and add them in a fixed order, so that
// a result depends on the row and the build alone.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

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

/// A vector of kElements<T> elements.
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
inline constexpr int kElements = kVectorBytes / static_cast<int>(sizeof(T));

/// The integer type as wide as T: what comparing two Vector<T> gives.
template <class T>
using IntegerOf = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

/// Reads one vector; `source` need not be aligned.
template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* source) {
  Vector<T> result;
  std::memcpy(&result, source, sizeof result);
  return result;
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T> value) {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> broadcast(T value) {
  return value - Vector<T>{};
}

/// Reads `count` < kElements<T> elements, the others are `filler`.
template <class T>
[[gnu::always_inline]] inline Vector<T> load_part(const T* source, std::int64_t count,
                                                  T filler = T{}) {
#ifdef __AVX512F__
  const unsigned first = (1U << count) - 1;
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_mask_loadu_ps(broadcast(filler), static_cast<__mmask16>(first), source);
  }
  if constexpr (std::is_same_v<T, double>) {
    return _mm512_mask_loadu_pd(broadcast(filler), static_cast<__mmask8>(first), source);
  }
#endif
  T elements[kElements<T>];
  for (T& element : elements) element = filler;
  for (std::int64_t i = 0; i < count; ++i) elements[i] = source[i];
  return load(elements);
}

/// Writes the first `count` < kElements<T> elements.
template <class T>
[[gnu::always_inline]] inline void store_part(T* to, Vector<T> value, std::int64_t count) {
#ifdef __AVX512F__
  const unsigned first = (1U << count) - 1;
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_mask_storeu_ps(to, static_cast<__mmask16>(first), value);
  }
  if constexpr (std::is_same_v<T, double>) {
    return _mm512_mask_storeu_pd(to, static_cast<__mmask8>(first), value);
  }
#endif
  T elements[kElements<T>];
  store(elements, value);
  for (std::int64_t i = 0; i < count; ++i) to[i] = elements[i];
}

/// How a loop reads and writes a full vector; PartialVector is the same for the rest of a row.
template <class T>
struct WholeVector {
  static constexpr std::int64_t size() { return kElements<T>; }
  [[gnu::always_inline]] Vector<T> load(const T* source, T = T{}) const {
    return kernels::load(source);
  }
  [[gnu::always_inline]] void store(T* to, Vector<T> value) const { kernels::store(to, value); }
};

template <class T>
struct PartialVector {
  std::int64_t count;

  std::int64_t size() const { return count; }
  /// 0 in the elements that do not exist.
  [[gnu::always_inline]] Vector<T> only(Vector<T> value) const {
    using Int = IntegerOf<T>;
    Vector<Int> element;
    for (int i = 0; i < kElements<T>; ++i) element[i] = i;
    return element < broadcast(static_cast<Int>(count)) ? value : Vector<T>{};
  }
  [[gnu::always_inline]] Vector<T> load(const T* source, T filler = T{}) const {
    return load_part(source, count, filler);
  }
  [[gnu::always_inline]] void store(T* to, Vector<T> value) const { store_part(to, value, count); }
};

/// Writes a gradient at one place of its sink: over what is there, or added to it.
template <class T, class Part>
[[gnu::always_inline]] inline void put(const Part& part, T* to, bool add, Vector<T> value) {
  part.store(to, add ? part.load(to) + value : value);
}

/// Calls body(begin, part) for every vector of [0, n).
template <class T, class Body>
[[gnu::always_inline]] inline void for_each_vector(std::int64_t n, const Body& body) {
  std::int64_t i = 0;
  for (; i + kElements<T> <= n; i += kElements<T>) body(i, WholeVector<T>{});
  if (i < n) body(i, PartialVector<T>{n - i});
}

/// a * b + c with one rounding: always fused, wherever the compiler puts it, so that bits do not
/// depend on the surrounding code.
template <class T>
[[gnu::always_inline]] inline Vector<T> multiply_add(Vector<T> a, Vector<T> b, Vector<T> c) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return _mm512_fmadd_ps(a, b, c);
  } else {
    return _mm512_fmadd_pd(a, b, c);
  }
#elif defined(__FMA__)
  if constexpr (sizeof(T) == 4) {
    return _mm256_fmadd_ps(a, b, c);
  } else {
    return _mm256_fmadd_pd(a, b, c);
  }
#else
  return a * b + c;
#endif
}

/// The larger of each pair of elements; `b` where either is NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> larger_of(Vector<T> a, Vector<T> b) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return _mm512_maskz_max_ps(0xFFFF, a, b);
  if constexpr (sizeof(T) == 8) return _mm512_maskz_max_pd(0xFF, a, b);
#else
  if constexpr (sizeof(T) == 4) return _mm256_max_ps(a, b);
  if constexpr (sizeof(T) == 8) return _mm256_max_pd(a, b);
#endif
}

/// The smaller of each pair of elements; `b` where either is NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> smaller_of(Vector<T> a, Vector<T> b) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return _mm512_maskz_min_ps(0xFFFF, a, b);
  if constexpr (sizeof(T) == 8) return _mm512_maskz_min_pd(0xFF, a, b);
#else
  if constexpr (sizeof(T) == 4) return _mm256_min_ps(a, b);
  if constexpr (sizeof(T) == 8) return _mm256_min_pd(a, b);
#endif
}

template <class T>
[[gnu::always_inline]] inline Vector<T> square_root(Vector<T> x) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4) return _mm512_maskz_sqrt_ps(0xFFFF, x);
  if constexpr (sizeof(T) == 8) return _mm512_maskz_sqrt_pd(0xFF, x);
#else
  if constexpr (sizeof(T) == 4) return _mm256_sqrt_ps(x);
  if constexpr (sizeof(T) == 8) return _mm256_sqrt_pd(x);
#endif
}

/// The same bytes as elements of another type.
template <class To, class From>
[[gnu::always_inline]] inline Vector<To> reinterpret(Vector<From> v) {
  return reinterpret_cast<Vector<To>>(v);
}

/// kElements<T> bytes, each widened to an integer as wide as T.
template <class T>
[[gnu::always_inline]] inline Vector<IntegerOf<T>> widen(const std::uint8_t* bytes) {
  __m128i narrow = {};
  std::memcpy(&narrow, bytes, kElements<T>);
#ifdef __AVX512F__
  const __m512i wide = sizeof(T) == 4 ? _mm512_maskz_cvtepu8_epi32(0xFFFF, narrow)
                                      : _mm512_maskz_cvtepu8_epi64(0xFF, narrow);
#else
  const __m256i wide = sizeof(T) == 4 ? _mm256_cvtepu8_epi32(narrow) : _mm256_cvtepu8_epi64(narrow);
#endif
  return reinterpret_cast<Vector<IntegerOf<T>>>(wide);
}

/// Element i of the result is element i ^ kDistance.
template <class T, int kDistance, int... kElement>
[[gnu::always_inline]] inline Vector<T> swapped(Vector<T> v,
                                                std::integer_sequence<int, kElement...>) {
  return __builtin_shufflevector(v, v, (kElement ^ kDistance)...);
}

/// combine(x, y) of all elements: those half a vector apart first, then a quarter, and so on.
template <class T, int kDistance = kElements<T> / 2, class Combine>
[[gnu::always_inline]] inline T fold_elements(Vector<T> v, const Combine& combine) {
  if constexpr (kDistance == 0) {
    return v[0];
  } else {
    const Vector<T> other =
        swapped<T, kDistance>(v, std::make_integer_sequence<int, kElements<T>>());
    return fold_elements<T, kDistance / 2>(combine(v, other), combine);
  }
}

/// The sum of all elements, added pairwise: always in the same order.
template <class T>
[[gnu::always_inline]] inline T sum_of_elements(Vector<T> v) {
  return fold_elements<T>(v, [](Vector<T> a, Vector<T> b) { return a + b; });
}

/// The largest of all elements; NaN may or may not be seen.
template <class T>
[[gnu::always_inline]] inline T max_of_elements(Vector<T> v) {
  return fold_elements<T>(v, [](Vector<T> a, Vector<T> b) { return larger_of<T>(a, b); });
}

}  // namespace heddle::kernels
