// Dropout (Srivastava et al. 2014), inverted: an element is zeroed with probability p, the others
// are multiplied by 1 / (1 - p).
//
// No mask is stored: whether element (row, column) of a logical matrix is kept is a pure function
// of (stream, row, column), so that backward asks again and a tile may be computed anywhere. One
// Philox call gives eight 16-bit numbers: those of rows 8g to 8g + 7 in one column. p is therefore
// rounded to a multiple of 1/65536, and the scale is that of the rounded p: the expectation stays
// exact.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "autograd/base/parallel.h"
#include "autograd/base/random.h"
#include "autograd/kernels/gradient_sink.h"
#include "autograd/kernels/simd.h"

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

/// The keys of all rounds, as vectors in memory: for callers that ask for bits piece by piece.
struct DropoutKeys {
  Vector<std::int64_t> round[kPhiloxRounds][2];
  std::uint32_t op, threshold;

  explicit DropoutKeys(const Dropout& dropout);
};
void dropout_bits(const DropoutKeys& keys, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits);

/// Whether the one element is kept: the definition that dropout_bits follows, for tests.
bool dropout_keeps(const Dropout& dropout, std::uint64_t row, std::uint32_t column);

/// y = x * mask * scale for x [rows, columns]; y may be x. Backward is the same function on dy.
template <class T>
void dropout(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
             GradientSink<T> y, int threads);

// What kernels with dropout inside are made of: tiles of eight rows.

/// Most columns of a tile: its bits stay in the first-level cache.
inline constexpr std::int64_t kDropoutColumns = 4096;

/// One row of a tile: the bits of its columns, and which bit is the row's.
struct KeptBits {
  const std::uint8_t* bits;
  std::uint8_t bit;

  /// 0 in the elements that are dropped, for the vector that begins at column i of the tile.
  template <class T>
  [[gnu::always_inline]] Vector<T> only(std::int64_t i, Vector<T> value) const {
    return (widen<T>(bits + i) & IntegerOf<T>{bit}) != 0 ? value : Vector<T>{};
  }
};

/// Up to eight rows that share their Philox calls, and up to kDropoutColumns of their columns.
struct DropoutTile {
  std::int64_t row, rows;        // rows row to row + rows - 1
  std::int64_t column, columns;  // columns column to column + columns - 1
  const std::uint8_t* bits;      // may be read up to the end of a vector

  KeptBits kept(std::int64_t r) const { return {bits, static_cast<std::uint8_t>(1 << r)}; }
};

/// Calls body(tile) for the tiles of rows `begin` (a multiple of eight) to `end` and columns
/// `first` to `last`, all columns of eight rows before the next eight. Where dropout is off every
/// bit is set.
template <class Body>
[[gnu::always_inline]] inline void for_each_dropout_tile(const Dropout& dropout, std::int64_t begin,
                                                         std::int64_t end, std::int64_t first,
                                                         std::int64_t last, const Body& body) {
  alignas(64) std::uint8_t bits[kDropoutColumns];
  std::memset(bits, 0xFF, sizeof bits);
  const DropoutKeys keys(dropout);
  for (std::int64_t row = begin; row < end; row += kDropoutRows) {
    const std::int64_t rows = std::min<std::int64_t>(kDropoutRows, end - row);
    for (std::int64_t column = first; column < last; column += kDropoutColumns) {
      const std::int64_t columns = std::min(kDropoutColumns, last - column);
      if (dropout.active()) {
        dropout_bits(keys, static_cast<std::uint64_t>(row / kDropoutRows),
                     static_cast<std::uint32_t>(column), columns, bits);
      }
      body(DropoutTile{row, rows, column, columns, bits});
    }
  }
}

/// The rows of one parallel block: whole groups of eight.
inline std::int64_t dropout_grain(std::int64_t columns) {
  return kDropoutRows * grain_for(kDropoutRows * columns);
}

}  // namespace heddle::kernels
