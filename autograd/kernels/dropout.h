// Dropout (Srivastava et al. 2014), inverted: an element is zeroed with probability p, the others
// are multiplied by 1 / (1 - p).
//
// No mask is stored: whether element (row, column) of a logical matrix is kept is a pure function
// of (stream, row, column), so that backward asks again and a tile may be computed anywhere. One
// Philox call gives eight 16-bit numbers: those of rows 8g to 8g + 7 in one column. p is therefore
// rounded to a multiple of 1/65536, and the scale is that of the rounded p: the expectation stays
// exact.
#pragma once

#include <cstdint>

#include "autograd/base/random.h"
#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

struct Dropout {
  RandomStream stream;
  std::uint32_t threshold =
      0;               // an element is dropped when its 16-bit number is below; 0: dropout is off
  double scale = 1.0;  // 65536 / (65536 - threshold)

  Dropout() = default;
  /// `probability` in [0, 1).
  Dropout(double probability, const RandomStream& random);
  bool active() const { return threshold > 0; }
};

/// Rows that share one Philox call.
inline constexpr int kDropoutRows = 8;

/// For columns first to first + count - 1: bit r of bits[c - first] says whether element
/// (8 * row_group + r, c) is kept.
void dropout_bits(const Dropout& dropout, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits);

/// Whether the one element is kept: the definition that dropout_bits follows, for tests.
bool dropout_keeps(const Dropout& dropout, std::uint64_t row, std::uint32_t column);

/// y = x * mask * scale for x [rows, columns]; y may be x. Backward is the same function on dy.
template <class T>
void dropout(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
             GradientSink<T> y, int threads);

}  // namespace heddle::kernels
