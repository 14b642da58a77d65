#include <algorithm>

#include "autograd/ops/shaping.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

// Element numbers as digits: the position on every axis.
std::vector<std::int64_t> digits(std::int64_t index, const Shape& shape) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    result[static_cast<std::size_t>(axis)] = index % shape[axis];
    index /= shape[axis];
  }
  return result;
}

std::int64_t number(const std::vector<std::int64_t>& position, const Shape& shape) {
  std::int64_t index = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    index = index * shape[axis] + position[static_cast<std::size_t>(axis)];
  }
  return index;
}

// out[p] = in[0][map(p)] for all positions p of the result.
template <class Map>
std::vector<double> picked(std::span<const Values> in, const Shape& result, const Map& map) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < result.elements(); ++i) {
    out.push_back(in[0][number(map(digits(i, result)), in[0].shape)]);
  }
  return out;
}

void add_transpose(std::vector<OpCase>& cases, const Shape& shape, int a, int b,
                   bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return transpose(c, in[0], a, b);
  };
  const Oracle naive = [=](std::span<const Values> in) {
    const int first = normalized_axis("test", a, shape);
    const int second = normalized_axis("test", b, shape);
    const Shape result = shape.with(first, shape[second]).with(second, shape[first]);
    return picked(in, result, [=](std::vector<std::int64_t> p) {
      std::swap(p[static_cast<std::size_t>(first)], p[static_cast<std::size_t>(second)]);
      return p;
    });
  };
  cases.push_back({"transpose", large ? "large" : "", {{"x", shape}}, run, naive, nullptr, large});
}

void add_slice(std::vector<OpCase>& cases, const Shape& shape, int axis, std::int64_t begin,
               std::int64_t end, bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return slice(c, in[0], axis, begin, end);
  };
  const Oracle naive = [=](std::span<const Values> in) {
    const int from_front = normalized_axis("test", axis, shape);
    return picked(in, shape.with(from_front, end - begin), [=](std::vector<std::int64_t> p) {
      p[static_cast<std::size_t>(from_front)] += begin;
      return p;
    });
  };
  cases.push_back({"slice", large ? "large" : "", {{"x", shape}}, run, naive, nullptr, large});
}

void add_gather(std::vector<OpCase>& cases, const Shape& shape, int axis,
                const std::vector<std::int32_t>& index, bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return gather(c, in[0], axis, index);
  };
  const Oracle naive = [=](std::span<const Values> in) {
    const auto count = static_cast<std::int64_t>(index.size());
    return picked(in, shape.with(axis, count), [=](std::vector<std::int64_t> p) {
      auto& position = p[static_cast<std::size_t>(axis)];
      position = index[static_cast<std::size_t>(position)];
      return p;
    });
  };
  cases.push_back({"gather", large ? "large" : "", {{"x", shape}}, run, naive, nullptr, large});
}

void add_concat(std::vector<OpCase>& cases, const std::vector<Shape>& parts, int axis,
                bool large = false) {
  std::vector<OpInput> inputs;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    inputs.push_back({"part" + std::to_string(i), parts[i]});
    total += parts[i][axis];
  }
  const auto run = [=](Context& c, std::span<const Tensor> in) { return concat(c, in, axis); };
  const Oracle naive = [=](std::span<const Values> in) {
    const Shape result = parts[0].with(axis, total);
    std::vector<double> out;
    for (std::int64_t i = 0; i < result.elements(); ++i) {
      std::vector<std::int64_t> p = digits(i, result);
      std::int64_t& position = p[static_cast<std::size_t>(axis)];
      std::size_t part = 0;
      while (position >= parts[part][axis]) position -= parts[part++][axis];
      out.push_back(in[part][number(p, parts[part])]);
    }
    return out;
  };
  cases.push_back({"concat", large ? "large" : "", inputs, run, naive, nullptr, large});
}

void add_stack(std::vector<OpCase>& cases, const Shape& shape, std::size_t count, int axis,
               bool large = false) {
  std::vector<OpInput> inputs;
  for (std::size_t i = 0; i < count; ++i) inputs.push_back({"part" + std::to_string(i), shape});
  const auto run = [=](Context& c, std::span<const Tensor> in) { return stack(c, in, axis); };
  const Oracle naive = [=](std::span<const Values> in) {
    const int at = axis < 0 ? axis + shape.rank() + 1 : axis;
    const Shape result = shape.inserted(at, static_cast<std::int64_t>(count));
    std::vector<double> out;
    for (std::int64_t i = 0; i < result.elements(); ++i) {
      std::vector<std::int64_t> p = digits(i, result);
      const auto part = static_cast<std::size_t>(p[static_cast<std::size_t>(at)]);
      p.erase(p.begin() + at);
      out.push_back(in[part][number(p, shape)]);
    }
    return out;
  };
  cases.push_back({"stack", large ? "large" : "", inputs, run, naive, nullptr, large});
}

}  // namespace

void add_shaping_cases(std::vector<OpCase>& cases) {
  cases.push_back({"reshape",
                   "",
                   {{"x", {3, 8}}},
                   [](Context& c, std::span<const Tensor> in) {
                     return reshape(c, in[0], {2, 3, 4});
                   },
                   [](std::span<const Values> in) { return in[0].data; },
                   nullptr});
  add_transpose(cases, {1, 1}, 0, 1);
  add_transpose(cases, {5, 33}, -2, -1);
  add_transpose(cases, {3, 17, 9}, 1, 2);
  add_transpose(cases, {2, 3, 4, 5}, 0, 2);
  add_transpose(cases, {2, 3, 4, 5}, 3, 1);
  add_transpose(cases, {4096, 128}, 0, 1, true);
  add_slice(cases, {1, 1}, 0, 0, 1);
  add_slice(cases, {7, 5}, 0, 2, 6);
  add_slice(cases, {7, 5}, -1, 1, 3);
  add_slice(cases, {2, 6, 3}, 1, 5, 6);
  add_slice(cases, {4096, 384}, 1, 128, 256, true);
  add_concat(cases, {{3, 4}}, 0);
  add_concat(cases, {{3, 4}, {1, 4}, {2, 4}}, 0);
  add_concat(cases, {{3, 1}, {3, 5}}, 1);
  add_concat(cases, {{2, 1, 3}, {2, 2, 3}}, 1);
  add_concat(cases, {{4096, 64}, {4096, 64}}, 1, true);
  add_concat(cases, std::vector<Shape>(100, Shape{1, 3}), 0);
  add_stack(cases, {}, 3, 0);
  add_stack(cases, {3, 4}, 2, 0);
  add_stack(cases, {3, 4}, 3, 1);
  add_stack(cases, {3, 4}, 2, -1);
  add_stack(cases, {4096, 64}, 2, 1, true);
  add_gather(cases, {1, 1}, 0, {0, 0});
  add_gather(cases, {6, 5}, 0, {3, 1, 3, 3, 0});
  add_gather(cases, {4, 6, 3}, 1, {5, 0, 5});
  add_gather(cases, {4, 6}, 1, {2, 2});
  std::vector<std::int32_t> many;
  for (std::int32_t i = 0; i < 4096; ++i) many.push_back(i * 7 % 1000);
  add_gather(cases, {1000, 128}, 0, many, true);
}

}  // namespace heddle::testing
