#include "autograd/base/shape.h"

#include <ostream>

#include <algorithm>

#include "autograd/base/check.h"

namespace heddle {

namespace {
// Far more than any machine holds, and small enough that sizes in bytes never overflow.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;
}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  check(sizes.size() <= kMaxRank, "shape: ", sizes.size(), " dimensions, at most ", kMaxRank,
        " are supported");
  std::int64_t elements = 1;
  for (const std::int64_t size : sizes) {
    check(size >= 0, "shape: negative dimension ", size);
    check(size == 0 || elements <= kMaxElements / size, "shape: more than 2^48 elements");
    elements *= std::max<std::int64_t>(size, 1);
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes()) product *= size;
  return product;
}

std::int64_t Shape::rows() const {
  std::int64_t product = 1;
  for (int axis = 0; axis + 1 < rank_; ++axis) product *= (*this)[axis];
  return product;
}

Shape Shape::with(int axis, std::int64_t size) const {
  Shape result = *this;
  result.sizes_[static_cast<std::size_t>(axis)] = size;
  return result;
}

Shape Shape::without(int axis) const {
  Shape result;
  for (int i = 0; i < rank_; ++i) {
    if (i != axis) result.sizes_[static_cast<std::size_t>(result.rank_++)] = (*this)[i];
  }
  return result;
}

Shape Shape::inserted(int axis, std::int64_t size) const {
  check(rank_ < kMaxRank, "shape: ", *this, " already has ", kMaxRank, " dimensions");
  Shape result;
  for (int i = 0; i <= rank_; ++i) {
    if (i == axis) result.sizes_[static_cast<std::size_t>(result.rank_++)] = size;
    if (i < rank_) result.sizes_[static_cast<std::size_t>(result.rank_++)] = (*this)[i];
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int axis = 0; axis < shape.rank(); ++axis) out << (axis == 0 ? "" : ", ") << shape[axis];
  return out << ']';
}

AxisShape around(const Shape& shape, int axis) {
  AxisShape view{1, shape[axis], 1};
  for (int i = 0; i < axis; ++i) view.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) view.inner *= shape[i];
  return view;
}

int normalized_axis(const char* op, int axis, const Shape& shape) {
  const int from_front = axis < 0 ? axis + shape.rank() : axis;
  check(from_front >= 0 && from_front < shape.rank(), op, ": axis ", axis, " is outside ", shape);
  return from_front;
}

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  const int rank = std::max(a.rank(), b.rank());
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t left = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t right = i <= b.rank() ? b[b.rank() - i] : 1;
    check(left == right || left == 1 || right == 1, op, ": ", a, " and ", b, " do not broadcast");
    sizes[static_cast<std::size_t>(rank - i)] = left == 1 ? right : left;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

}  // namespace heddle
