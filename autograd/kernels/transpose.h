// Transposing a square of kLanes x kLanes elements inside registers, by a butterfly: the stage of
// distance d swaps the off-diagonal d x d blocks of every 2d x 2d block. log2(kLanes) stages.
//
// Adding the two halves instead of keeping both gives the sums of kLanes vectors as one vector.
#pragma once

#include <utility>

#include "autograd/kernels/simd.h"

namespace heddle::kernels {

/// Lane l of the first is (l & kDistance) ? b[l - kDistance] : a[l]; of the second
/// (l & kDistance) ? b[l] : a[l + kDistance].
template <class T, int kDistance, int... kLane>
[[gnu::always_inline]] inline std::pair<Vector<T>, Vector<T>> exchange(
    Vector<T> a, Vector<T> b, std::integer_sequence<int, kLane...>) {
  constexpr int kFromB = static_cast<int>(sizeof...(kLane));
  return {
      __builtin_shufflevector(a, b, ((kLane & kDistance) ? kLane - kDistance + kFromB : kLane)...),
      __builtin_shufflevector(a, b, ((kLane & kDistance) ? kLane + kFromB : kLane + kDistance)...)};
}

/// Element (i, j) goes to (j, i).
template <class T, int kDistance = kLanes<T> / 2>
[[gnu::always_inline]] inline void transpose(Vector<T> (&rows)[kLanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i) {
    if (i & kDistance) continue;
    const auto [low, high] = exchange<T, kDistance>(rows[i], rows[i + kDistance],
                                                    std::make_integer_sequence<int, kLanes<T>>{});
    rows[i] = low;
    rows[i + kDistance] = high;
  }
  if constexpr (kDistance > 1) transpose<T, kDistance / 2>(rows);
}

/// Lane i is the sum of all lanes of rows[i]. Overwrites `rows`.
template <class T, int kDistance = kLanes<T> / 2>
[[gnu::always_inline]] inline Vector<T> sums_of_rows(Vector<T> (&rows)[kLanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kDistance; ++i) {
    const auto [low, high] = exchange<T, kDistance>(rows[i], rows[i + kDistance],
                                                    std::make_integer_sequence<int, kLanes<T>>{});
    rows[i] = low + high;
  }
  if constexpr (kDistance > 1) {
    return sums_of_rows<T, kDistance / 2>(rows);
  } else {
    return rows[0];
  }
}

}  // namespace heddle::kernels
