#include "autograd/base/shape.h"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include "autograd/base/check.h"
#include "autograd/base/dtype.h"
#include "tests/support/throws.h"

using heddle::broadcast;
using heddle::normalized_axis;
using heddle::Shape;

TEST_CASE("a shape counts elements, rows and columns") {
  CHECK(Shape{}.elements() == 1);
  CHECK(Shape{}.rank() == 0);
  const Shape shape{3, 4, 5};
  CHECK(shape.elements() == 60);
  CHECK(shape.rows() == 12);
  CHECK(shape.columns() == 5);
  CHECK(Shape{0, 7}.elements() == 0);
  std::ostringstream out;
  out << shape;
  CHECK(out.str() == "[3, 4, 5]");
}

TEST_CASE("a shape with one axis replaced, removed or added") {
  const Shape shape{3, 4, 5};
  CHECK(shape.with(1, 9) == Shape{3, 9, 5});
  CHECK(shape.without(0) == Shape{4, 5});
  CHECK(shape.inserted(3, 2) == Shape{3, 4, 5, 2});
  CHECK(shape.inserted(0, 2) == Shape{2, 3, 4, 5});
  CHECK(shape == Shape{3, 4, 5});
  CHECK(shape != Shape{3, 4});
}

TEST_CASE("impossible shapes are refused") {
  CHECK_MESSAGE_THROWN(Shape({2, -1}), "negative dimension -1");
  CHECK_MESSAGE_THROWN(Shape({1, 1, 1, 1, 1, 1, 1}), "7 dimensions, at most 6");
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK_MESSAGE_THROWN(Shape({huge, huge}), "more than 2^48");
}

TEST_CASE("broadcasting aligns at the last dimension") {
  CHECK(broadcast("add", {4, 1, 3}, {5, 1}) == Shape{4, 5, 3});
  CHECK(broadcast("add", {}, {2, 2}) == Shape{2, 2});
  CHECK(broadcast("add", {1}, {0}) == Shape{0});
  CHECK_MESSAGE_THROWN(broadcast("add", {2, 3}, {4, 3}), "add: [2, 3] and [4, 3] do not broadcast");
}

TEST_CASE("negative axes count from the back") {
  CHECK(normalized_axis("sum", -1, {2, 3}) == 1);
  CHECK(normalized_axis("sum", 0, {2, 3}) == 0);
  CHECK_MESSAGE_THROWN(normalized_axis("sum", 2, {2, 3}), "sum: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(normalized_axis("sum", -3, {2, 3}), "axis -3");
}

TEST_CASE("the runtime type selects the template") {
  using heddle::DType;
  const auto bytes = [](auto zero) { return sizeof zero; };
  CHECK(heddle::dispatch(DType::kFloat32, "test", bytes) == 4);
  CHECK(heddle::dispatch(DType::kFloat64, "test", bytes) == 8);
  CHECK_MESSAGE_THROWN(heddle::dispatch(DType::kInt32, "test", bytes),
                       "test: needs float32 or float64, not int32");
  CHECK(heddle::size_of(DType::kUInt8) == 1);
}
