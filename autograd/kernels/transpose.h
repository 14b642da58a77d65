// Transposing a square of kElements x kElements elements inside registers, by a butterfly: the
// stage of distance d swaps the off-diagonal d x d blocks of every 2d x 2d block. log2(kElements)
// stages.
//
// Adding the two halves instead of keeping both gives the sums of kElements vectors as one vector.
#pragma once

#include <utility>

#include "autograd/kernels/simd.h"

namespace heddle::kernels {

/// Element l of the first is (l & kDistance) ? b[l - kDistance] : a[l]; of the second
/// (l & kDistance) ? b[l] : a[l + kDistance].
template <class T, int kDistance, int... kElement>
[[gnu::always_inline]] inline std::pair<Vector<T>, Vector<T>> exchange(
    Vector<T> a, Vector<T> b, std::integer_sequence<int, kElement...>) {
  constexpr int kFromB = static_cast<int>(sizeof...(kElement));
  return {__builtin_shufflevector(
              a, b, ((kElement & kDistance) ? kElement - kDistance + kFromB : kElement)...),
          __builtin_shufflevector(
              a, b, ((kElement & kDistance) ? kElement + kFromB : kElement + kDistance)...)};
}

/// Element (i, j) goes to (j, i).
template <class T, int kDistance = kElements<T> / 2>
[[gnu::always_inline]] inline void transpose(Vector<T> (&rows)[kElements<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kElements<T>; ++i) {
    if (i & kDistance) continue;
    const auto [low, high] = exchange<T, kDistance>(
        rows[i], rows[i + kDistance], std::make_integer_sequence<int, kElements<T>>{});
    rows[i] = low;
    rows[i + kDistance] = high;
  }
  if constexpr (kDistance > 1) transpose<T, kDistance / 2>(rows);
}

/// Element i is the sum of all elements of rows[i]. Overwrites `rows`.
template <class T, int kDistance = kElements<T> / 2>
[[gnu::always_inline]] inline Vector<T> sums_of_rows(Vector<T> (&rows)[kElements<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kDistance; ++i) {
    const auto [low, high] = exchange<T, kDistance>(
        rows[i], rows[i + kDistance], std::make_integer_sequence<int, kElements<T>>{});
    rows[i] = low + high;
  }
  if constexpr (kDistance > 1) {
    return sums_of_rows<T, kDistance / 2>(rows);
  } else {
    return rows[0];
  }
}

}  // namespace heddle::kernels
