#include <algorithm>

#include "autograd/ops/arithmetic.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

struct Pair {
  Shape a, b;
};

const std::vector<Pair> kPairs{{{}, {}},
                               {{1, 1}, {1, 1}},
                               {{5, 33}, {5, 33}},
                               {{4, 17}, {17}},
                               {{17}, {4, 17}},
                               {{6, 5}, {6, 1}},
                               {{6, 1}, {6, 5}},
                               {{3, 4}, {}},
                               {{}, {3, 4}},
                               {{3, 1, 5}, {1, 4, 5}},
                               {{2, 3, 4}, {3, 1}},
                               {{1, 7}, {6, 1}},
                               {{2, 1, 3, 1}, {4, 1, 5}}};

// The element of `shape` that takes part in element `index` of the broadcast shape `full`.
std::int64_t source_of(std::int64_t index, const Shape& full, const Shape& shape) {
  std::int64_t source = 0;
  std::int64_t step = 1;
  for (int i = 1; i <= full.rank(); ++i) {
    const std::int64_t position = index % full[full.rank() - i];
    index /= full[full.rank() - i];
    if (i > shape.rank()) continue;
    const std::int64_t size = shape[shape.rank() - i];
    source += (size == 1 ? 0 : position) * step;
    step *= size;
  }
  return source;
}

Oracle each_pair(double (*f)(double, double)) {
  return [f](std::span<const Values> in) {
    const Shape full = broadcast("test", in[0].shape, in[1].shape);
    std::vector<double> out;
    for (std::int64_t i = 0; i < full.elements(); ++i) {
      out.push_back(
          f(in[0][source_of(i, full, in[0].shape)], in[1][source_of(i, full, in[1].shape)]));
    }
    return out;
  };
}

using Function = Tensor (*)(Context&, const Tensor&, const Tensor&);

void add_binary(std::vector<OpCase>& cases, const std::string& name, Function op,
                double (*f)(double, double), double low = -2.0) {
  const auto run = [op](Context& c, std::span<const Tensor> in) { return op(c, in[0], in[1]); };
  const auto add = [&](const Pair& pair, bool large) {
    cases.push_back({name,
                     large ? "large" : "",
                     {{"a", pair.a, -2.0, 2.0}, {"b", pair.b, low, 2.0}},
                     run,
                     each_pair(f),
                     nullptr,
                     large,
                     4e-6});
  };
  for (const Pair& pair : kPairs) add(pair, false);
  add({{4096, 128}, {4096, 128}}, true);
  add({{4096, 128}, {128}}, true);
  add({{4096, 128}, {4096, 1}}, true);
}

// Every third element.
Tensor mask_of(Context& context, const Shape& shape) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 == 1 ? 1 : 0;
  return context.constant(shape, std::span<const std::uint8_t>(mask));
}

bool masked(std::int64_t i) {
  return i % 3 == 1;
}

void add_where(std::vector<OpCase>& cases, const Shape& mask, const Pair& pair, bool large) {
  const auto run = [mask](Context& c, std::span<const Tensor> in) {
    return where(c, mask_of(c, mask), in[0], in[1]);
  };
  const Oracle naive = [mask](std::span<const Values> in) {
    const Shape full = broadcast("test", mask, broadcast("test", in[0].shape, in[1].shape));
    std::vector<double> out;
    for (std::int64_t i = 0; i < full.elements(); ++i) {
      out.push_back(masked(source_of(i, full, mask)) ? in[0][source_of(i, full, in[0].shape)]
                                                     : in[1][source_of(i, full, in[1].shape)]);
    }
    return out;
  };
  cases.push_back(
      {"where", large ? "large" : "", {{"a", pair.a}, {"b", pair.b}}, run, naive, nullptr, large});
}

void add_masked_fill(std::vector<OpCase>& cases, const Shape& x, const Shape& mask, bool large) {
  const auto run = [mask](Context& c, std::span<const Tensor> in) {
    return masked_fill(c, in[0], mask_of(c, mask), -7.5);
  };
  const Oracle naive = [mask](std::span<const Values> in) {
    std::vector<double> out;
    for (std::int64_t i = 0; i < in[0].shape.elements(); ++i) {
      out.push_back(masked(source_of(i, in[0].shape, mask)) ? -7.5 : in[0][i]);
    }
    return out;
  };
  cases.push_back({"masked_fill", large ? "large" : "", {{"x", x}}, run, naive, nullptr, large});
}

}  // namespace

void add_arithmetic_cases(std::vector<OpCase>& cases) {
  add_binary(cases, "add", add, [](double a, double b) { return a + b; });
  add_binary(cases, "sub", sub, [](double a, double b) { return a - b; });
  add_binary(cases, "mul", mul, [](double a, double b) { return a * b; });
  add_binary(
      cases, "div", div, [](double a, double b) { return a / b; }, 0.5);
  add_binary(cases, "maximum", maximum, [](double a, double b) { return std::max(a, b); });
  for (const Shape& shape : {Shape{1, 7}, Shape{5, 33}, Shape{4096, 128}}) {
    const bool large = shape.elements() > 10000;
    cases.push_back({"scale",
                     large ? "large" : "",
                     {{"x", shape}},
                     [](Context& c, std::span<const Tensor> in) { return scale(c, in[0], -2.5); },
                     [](std::span<const Values> in) {
                       std::vector<double> out;
                       for (const double x : in[0].data) out.push_back(-2.5 * x);
                       return out;
                     },
                     nullptr,
                     large});
    cases.push_back({"shift",
                     large ? "large" : "",
                     {{"x", shape}},
                     [](Context& c, std::span<const Tensor> in) { return shift(c, in[0], 0.75); },
                     [](std::span<const Values> in) {
                       std::vector<double> out;
                       for (const double x : in[0].data) out.push_back(x + 0.75);
                       return out;
                     },
                     nullptr,
                     large});
  }
  add_where(cases, {5, 33}, {{5, 33}, {5, 33}}, false);
  add_where(cases, {5, 1}, {{33}, {}}, false);
  add_where(cases, {2, 1, 3}, {{4, 1}, {2, 4, 3}}, false);
  add_where(cases, {1, 1}, {{1, 1}, {1, 1}}, false);
  add_where(cases, {4096, 128}, {{4096, 128}, {4096, 128}}, true);
  add_masked_fill(cases, {1, 1}, {1, 1}, false);
  add_masked_fill(cases, {6, 7}, {6, 7}, false);
  add_masked_fill(cases, {6, 7}, {7}, false);
  add_masked_fill(cases, {3, 4, 5}, {4, 1}, false);
  add_masked_fill(cases, {4096, 128}, {4096, 128}, true);
}

}  // namespace heddle::testing
