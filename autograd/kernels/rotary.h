// Rotary positions (Su et al. 2021, "RoFormer", equation 34): in every head of 2 `half` columns the
// pair j of a token at position p turns by the angle p w_j, w_j = base^(-j / half):
//
//   y[j]        = x[j] cos(p w_j) - x[j + half] sin(p w_j)
//   y[j + half] = x[j + half] cos(p w_j) + x[j] sin(p w_j)
//
// Pairs are half a head apart, as in GPT-NeoX and Llama; the paper's are neighbours. The heads are
// the first columns of x [tokens, columns]; y [tokens, heads * 2 half] holds them alone.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

struct RotaryShape {
  std::int64_t tokens, columns;  // of x
  std::int64_t heads, half;
  const std::int32_t* rows;  // [tokens]: the row of the table for the position of each token
};

/// table [positions, 2 half]: in row r the cosines, then the sines, of the angles of positions[r].
/// Computed in double, each from its own position and pair alone.
template <class T>
void rotary_table(std::span<const std::int64_t> positions, std::int64_t half, double base, T* table,
                  int threads);

/// y from x and the table.
template <class T>
void rotary(const RotaryShape& shape, const T* table, const T* x, T* y, int threads);

/// dx [tokens, columns] (+)= dy [tokens, heads * 2 half] turned back. The columns behind the heads
/// get no gradient: where dx is overwritten they are cleared.
template <class T>
void rotary_backward(const RotaryShape& shape, const T* table, const T* dy, GradientSink<T> dx,
                     int threads);

}  // namespace heddle::kernels
