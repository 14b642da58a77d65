// Functions of two tensors, broadcast in every way, against an oracle that walks the result element
// by element.
#include "autograd/kernels/binary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/random_values.h"

namespace heddle::kernels {
namespace {

using heddle::testing::random_values;

BinaryShape shape_of(const Shape& a, const Shape& b) {
  return {a, b, heddle::broadcast("test", a, b)};
}

// Scalars, one dimension, row, column, both stretched, middle dimensions, rank 6, sizes of 1 alone.
const std::vector<BinaryShape>& shapes() {
  static const std::vector<BinaryShape> all{
      shape_of({}, {}),
      shape_of({1}, {1, 1}),
      shape_of({37}, {37}),
      shape_of({5, 19}, {5, 19}),
      shape_of({5, 19}, {}),
      shape_of({1}, {40}),
      shape_of({33, 70}, {70}),
      shape_of({70}, {9, 70}),
      shape_of({9, 70}, {9, 1}),
      shape_of({9, 1}, {1, 70}),
      shape_of({3, 4, 20}, {3, 1, 20}),
      shape_of({3, 4, 20}, {4, 1}),
      shape_of({3, 1, 20}, {1, 4, 1}),
      shape_of({2, 1, 3, 1, 5, 1}, {1, 4, 1, 2, 1, 18}),
      shape_of({2, 3, 4, 5}, {3, 1, 5}),
      shape_of({40000}, {1}),
      shape_of({2, 1, 17000}, {2, 3, 1}),
      shape_of({3, 1500}, {1500}),
  };
  return all;
}

std::string text(const BinaryShape& shape) {
  std::ostringstream out;
  out << shape.a << " with " << shape.b;
  return out.str();
}

// Where element `i` of `result` comes from in a tensor of `shape`.
std::size_t source_of(std::size_t i, const Shape& result, const Shape& shape) {
  std::size_t source = 0;
  std::size_t stride = 1;
  for (int back = 1; back <= result.rank(); ++back) {
    const auto size = static_cast<std::size_t>(result[result.rank() - back]);
    const std::size_t place = i % size;
    i /= size;
    if (back > shape.rank()) continue;
    const auto own = static_cast<std::size_t>(shape[shape.rank() - back]);
    if (own > 1) source += place * stride;
    stride *= own;
  }
  return source;
}

struct Partial {
  double value, a, b;
};

Partial oracle(Binary function, double a, double b) {
  switch (function) {
    case Binary::kAdd:
      return {a + b, 1, 1};
    case Binary::kSub:
      return {a - b, 1, -1};
    case Binary::kMul:
      return {a * b, b, a};
    case Binary::kDiv:
      return {a / b, 1 / b, -a / (b * b)};
    case Binary::kMaximum:
      break;
  }
  const double half = a == b ? 0.5 : 0.0;
  return {std::max(a, b), a > b ? 1 : half, b > a ? 1 : half};
}

constexpr Binary kFunctions[] = {Binary::kAdd, Binary::kSub, Binary::kMul, Binary::kDiv,
                                 Binary::kMaximum};

// Numbers in steps of 1/4, so that some are equal, and none is 0.
template <class T>
std::vector<T> steps(std::int64_t count, std::uint64_t seed) {
  std::vector<T> values = random_values<T>(count, seed, -3, 3);
  for (T& v : values) v = std::round(v * 4) / 4 + T{0.125f};
  return values;
}

// `extent`: how many terms were added, which bounds the rounding.
template <class T>
bool all_close(const std::vector<T>& got, const std::vector<double>& wanted, double extent = 1) {
  const double tolerance = (sizeof(T) == 4 ? 1e-6 : 2e-15) * std::sqrt(extent) * 4;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i] - wanted[i]) <= tolerance * (1 + std::abs(wanted[i])))) return false;
  }
  return true;
}

template <class T>
void check_sinks(const std::vector<double>& wanted, double extent,
                 const std::function<void(GradientSink<T>, int)>& backward) {
  std::vector<T> overwritten(wanted.size(), std::numeric_limits<T>::quiet_NaN());
  std::vector<T> added(wanted.size(), T{1});
  std::vector<T> shared(wanted.size());
  backward({overwritten.data(), false}, 1);
  backward({shared.data(), false}, 3);
  backward({added.data(), true}, 1);
  CHECK(all_close(overwritten, wanted, extent));
  CHECK(overwritten == shared);
  std::vector<double> with_one = wanted;
  for (double& v : with_one) v += 1.0;
  CHECK(all_close(added, with_one, extent));
}

template <class T>
void check_binary(Binary function, const BinaryShape& shape) {
  const std::vector<T> a = steps<T>(shape.a.elements(), 1);
  const std::vector<T> b = steps<T>(shape.b.elements(), 2);
  const std::vector<T> dy = random_values<T>(shape.result.elements(), 3);
  std::vector<double> y(dy.size()), da(a.size()), db(b.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t from_a = source_of(i, shape.result, shape.a);
    const std::size_t from_b = source_of(i, shape.result, shape.b);
    const Partial p = oracle(function, a[from_a], b[from_b]);
    y[i] = p.value;
    da[from_a] += dy[i] * p.a;
    db[from_b] += dy[i] * p.b;
  }
  std::vector<T> got(y.size());
  binary(function, shape, a.data(), b.data(), got.data(), 2);
  CHECK(all_close(got, y));
  const auto extent = [&](const Shape& s) {
    return 16.0 * static_cast<double>(shape.result.elements() / s.elements());
  };
  check_sinks<T>(da, extent(shape.a), [&](GradientSink<T> sink, int threads) {
    binary_backward(function, shape, a.data(), b.data(), dy.data(), sink, {}, threads);
  });
  check_sinks<T>(db, extent(shape.b), [&](GradientSink<T> sink, int threads) {
    binary_backward(function, shape, a.data(), b.data(), dy.data(), {}, sink, threads);
  });
}

TEST_CASE_TEMPLATE("values and both gradients in every broadcast", T, float, double) {
  for (const BinaryShape& shape : shapes()) {
    for (const Binary function : kFunctions) {
      CAPTURE(text(shape));
      CAPTURE(static_cast<int>(function));
      check_binary<T>(function, shape);
    }
  }
}

TEST_CASE_TEMPLATE("add and sub do not read their operands backward", T, float, double) {
  const std::vector<T> dy{1, 2, 3, 4};
  std::vector<T> da(2), db(4);
  binary_backward<T>(Binary::kSub, shape_of({2}, {2, 2}), nullptr, nullptr, dy.data(), {da.data()},
                     {db.data()}, 1);
  CHECK(da == std::vector<T>{4, 6});
  CHECK(db == std::vector<T>{-1, -2, -3, -4});
}

TEST_CASE_TEMPLATE("maximum sees NaN on either side", T, float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> a{nan, 1, nan}, b{1, nan, nan};
  std::vector<T> y(3);
  binary(Binary::kMaximum, shape_of({3}, {3}), a.data(), b.data(), y.data(), 1);
  CHECK(std::all_of(y.begin(), y.end(), [](T v) { return std::isnan(v); }));
}

template <class T>
void check_where(const Shape& mask_shape, BinaryShape shape) {
  shape.result = heddle::broadcast("test", mask_shape, shape.result);
  const std::vector<T> a = steps<T>(shape.a.elements(), 1);
  const std::vector<T> b = steps<T>(shape.b.elements(), 2);
  const std::vector<T> dy = random_values<T>(shape.result.elements(), 3);
  std::vector<std::uint8_t> mask;
  for (const double v : random_values(mask_shape.elements(), 4)) {
    mask.push_back(v > 0.5 ? 255 : (v > 0 ? 1 : 0));
  }
  std::vector<double> y(dy.size()), da(a.size()), db(b.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool chosen = mask[source_of(i, shape.result, mask_shape)] != 0;
    const std::size_t from_a = source_of(i, shape.result, shape.a);
    const std::size_t from_b = source_of(i, shape.result, shape.b);
    y[i] = chosen ? a[from_a] : b[from_b];
    (chosen ? da[from_a] : db[from_b]) += dy[i];
  }
  std::vector<T> got(y.size());
  where(shape, mask_shape, mask.data(), a.data(), b.data(), got.data(), 2);
  CHECK(all_close(got, y));
  const auto extent = [&](const Shape& s) {
    return 4.0 * static_cast<double>(shape.result.elements() / s.elements());
  };
  check_sinks<T>(da, extent(shape.a), [&](GradientSink<T> sink, int threads) {
    where_backward(shape, mask_shape, mask.data(), dy.data(), sink, {}, threads);
  });
  check_sinks<T>(db, extent(shape.b), [&](GradientSink<T> sink, int threads) {
    where_backward(shape, mask_shape, mask.data(), dy.data(), {}, sink, threads);
  });
}

TEST_CASE_TEMPLATE("where, with masks of every shape", T, float, double) {
  for (const BinaryShape& shape : shapes()) {
    for (const Shape& mask :
         {shape.result, Shape{}, Shape{shape.result.columns()}, shape.a, shape.b}) {
      CAPTURE(text(shape));
      check_where<T>(mask, shape);
    }
  }
  check_where<T>({3, 4, 1}, shape_of({5}, {4, 5}));
}

TEST_CASE_TEMPLATE("masked_fill", T, float, double) {
  const Shape shape{2, 3};
  const Shape mask_shape{3};
  const std::vector<std::uint8_t> mask{0, 1, 0};
  const std::vector<T> x{1, 2, 3, 4, 5, 6};
  std::vector<T> y(6), dx(6, T{10});
  masked_fill(shape, mask_shape, mask.data(), x.data(), -7.0, y.data(), 1);
  CHECK(y == std::vector<T>{1, -7, 3, 4, -7, 6});
  masked_fill_backward<T>(shape, mask_shape, mask.data(), x.data(), {dx.data(), true}, 1);
  CHECK(dx == std::vector<T>{11, 10, 13, 14, 10, 16});
}

}  // namespace
}  // namespace heddle::kernels
