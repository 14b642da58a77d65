// The shape of a tensor: up to six dimensions, stored inline, trivially copyable.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>

namespace heddle {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  /// Rank 0: a scalar with one element.
  Shape() = default;
  /// Throws where there are more than kMaxRank dimensions, one is negative, or the number of
  /// elements does not fit 2^48.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(axis)]; }
  std::span<const std::int64_t> sizes() const {
    return {sizes_.data(), static_cast<std::size_t>(rank_)};
  }

  /// The product of all dimensions; 1 for a scalar.
  std::int64_t elements() const;
  /// The last dimension; 1 for a scalar.
  std::int64_t columns() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
  /// The product of all dimensions but the last: a tensor seen as a matrix [rows, columns].
  std::int64_t rows() const;

  /// The same shape with dimension `axis` replaced, removed or added in front of `axis`.
  Shape with(int axis, std::int64_t size) const;
  Shape without(int axis) const;
  Shape inserted(int axis, std::int64_t size) const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

/// Written as [17, 256].
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// A shape seen from one of its axes: the dimensions before it, and those behind it, are multiplied
/// together.
struct AxisShape {
  std::int64_t outer, length, inner;
};

AxisShape around(const Shape& shape, int axis);

/// The axis counted from the front; negative values count from the back. Throws, naming `op`.
int normalized_axis(const char* op, int axis, const Shape& shape);

/// The shape that `a` and `b` broadcast to: aligned at the last dimension, where sizes are equal or
/// one of them is 1. Throws, naming `op` and both shapes.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace heddle
