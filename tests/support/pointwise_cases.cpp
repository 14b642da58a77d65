#include <cmath>

#include "autograd/base/random.h"
#include "autograd/kernels/dropout.h"
#include "autograd/ops/pointwise.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

const std::vector<Shape> kShapes{{}, {1, 1}, {1, 7}, {9, 1}, {5, 33}, {2, 3, 19}};
const Shape kLarge{4096, 128};

using Unary = Tensor (*)(Context&, const Tensor&);

Oracle each(double (*f)(double)) {
  return [f](std::span<const Values> in) {
    std::vector<double> out;
    for (const double x : in[0].data) out.push_back(f(x));
    return out;
  };
}

void add_unary(std::vector<OpCase>& cases, const std::string& name, Unary op, double (*f)(double),
               double low = -3.0, double high = 3.0) {
  const auto run = [op](Context& c, std::span<const Tensor> in) { return op(c, in[0]); };
  for (const Shape& shape : kShapes) {
    cases.push_back({name, "", {{"x", shape, low, high}}, run, each(f), nullptr});
  }
  cases.push_back({name, "large", {{"x", kLarge, low, high}}, run, each(f), nullptr, true});
}

void add_dropout(std::vector<OpCase>& cases, const Shape& shape, bool large) {
  const double probability = 0.3;
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return dropout(c, in[0], probability);
  };
  const Oracle naive = [=](std::span<const Values> in) {
    const kernels::Dropout mask(probability, random_stream(kCaseKey, 0));
    std::vector<double> out;
    const std::int64_t columns = in[0].shape.columns();
    for (std::int64_t i = 0; i < in[0].shape.elements(); ++i) {
      const bool kept = kernels::dropout_keeps(mask, static_cast<std::uint64_t>(i / columns),
                                               static_cast<std::uint32_t>(i % columns));
      out.push_back(kept ? in[0][i] * mask.scale : 0.0);
    }
    return out;
  };
  cases.push_back({"dropout", large ? "large" : "", {{"x", shape}}, run, naive, nullptr, large});
}

}  // namespace

void add_pointwise_cases(std::vector<OpCase>& cases) {
  add_unary(cases, "neg", neg, [](double x) { return -x; });
  add_unary(cases, "abs", abs, [](double x) { return std::abs(x); });
  add_unary(cases, "exp", exp, [](double x) { return std::exp(x); });
  add_unary(
      cases, "log", log, [](double x) { return std::log(x); }, 0.1, 5.0);
  add_unary(
      cases, "sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.1, 5.0);
  add_unary(cases, "tanh", tanh, [](double x) { return std::tanh(x); });
  add_unary(cases, "sigmoid", sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); });
  add_unary(cases, "relu", relu, [](double x) { return x > 0.0 ? x : 0.0; });
  add_unary(cases, "gelu", gelu, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); });
  add_unary(cases, "silu", silu, [](double x) { return x / (1.0 + std::exp(-x)); });
  add_unary(
      cases, "pow", [](Context& c, const Tensor& x) { return pow(c, x, 2.5); },
      [](double x) { return std::pow(x, 2.5); }, 0.1, 3.0);
  add_unary(
      cases, "pow", [](Context& c, const Tensor& x) { return pow(c, x, 3.0); },
      [](double x) { return x * x * x; });
  for (const Shape& shape : kShapes) add_dropout(cases, shape, false);
  add_dropout(cases, kLarge, true);
}

}  // namespace heddle::testing
