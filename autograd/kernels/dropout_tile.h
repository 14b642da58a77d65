// What kernels with dropout inside are made of: tiles of eight rows, with a bit for each element.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "autograd/base/parallel.h"
#include "autograd/kernels/dropout.h"
#include "autograd/kernels/simd.h"

namespace heddle::kernels {

/// The keys of all rounds, as vectors in memory: for callers that ask for bits piece by piece.
struct DropoutKeys {
  Vector<std::int64_t> round[kPhiloxRounds][2];
  std::uint32_t op, threshold;

  explicit DropoutKeys(const Dropout& dropout);
};
void dropout_bits(const DropoutKeys& keys, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits);

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
