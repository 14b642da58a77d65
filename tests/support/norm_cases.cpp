#include <cmath>

#include "autograd/kernels/dropout.h"
#include "autograd/ops/arithmetic.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/reduction.h"
#include "tests/support/masks.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

constexpr double kEps = 1e-5;

// By the definition, from general operations.
Tensor plain_norm(Context& c, const Tensor& x, const Tensor& gain, const Tensor& bias) {
  const Tensor centred = bias.data != nullptr ? sub(c, x, mean(c, x, -1, true)) : x;
  const Tensor power = mean(c, mul(c, centred, centred), -1, true);
  const Tensor normed = div(c, centred, sqrt(c, shift(c, power, kEps)));
  const Tensor scaled = mul(c, normed, gain);
  return bias.data != nullptr ? add(c, scaled, bias) : scaled;
}

Tensor plain_residual(Context& c, const Tensor& x, const Tensor& delta, double dropout) {
  if (dropout == 0.0) return add(c, x, delta);
  return add(c, x, mul(c, delta, dropout_mask(c, delta.shape, delta.dtype, dropout)));
}

std::vector<OpInput> with_parameters(std::vector<OpInput> inputs, const Shape& x, bool layer) {
  inputs.push_back({"gain", {x.columns()}, 0.5, 1.5});
  if (layer) inputs.push_back({"bias", {x.columns()}});
  return inputs;
}

void add_norm(std::vector<OpCase>& cases, const Shape& x, bool layer, bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return layer ? layer_norm(c, in[0], in[1], in[2], kEps) : rms_norm(c, in[0], in[1], kEps);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    return plain_norm(c, in[0], in[1], layer ? in[2] : Tensor{});
  };
  cases.push_back({layer ? "layer_norm" : "rms_norm", large ? "large" : "",
                   with_parameters({{"x", x}}, x, layer), run, nullptr, composed, large, 1e-5});
}

enum class Used { kSum, kNormed, kBoth };

void add_residual_norm(std::vector<OpCase>& cases, const Shape& x, bool layer, double dropout,
                       Used used, const std::string& label, bool large = false) {
  const auto result = [=](Context& c, const Tensor& sum, const Tensor& normed) {
    if (used == Used::kSum) return sum;
    return used == Used::kNormed ? normed : add(c, sum, normed);
  };
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    const ResidualNorm r =
        residual_norm(c, in[0], in[1], in[2], layer ? in[3] : Tensor{}, dropout, kEps);
    return result(c, r.sum, r.normed);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    const Tensor sum = plain_residual(c, in[0], in[1], dropout);
    return result(c, sum, plain_norm(c, sum, in[2], layer ? in[3] : Tensor{}));
  };
  cases.push_back({"residual_norm", label, with_parameters({{"x", x}, {"delta", x}}, x, layer), run,
                   nullptr, composed, large, 1e-5});
}

void add_residual(std::vector<OpCase>& cases, const Shape& x, double dropout, bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return residual(c, in[0], in[1], dropout);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    return plain_residual(c, in[0], in[1], dropout);
  };
  cases.push_back(
      {"residual", large ? "large" : "", {{"x", x}, {"delta", x}}, run, nullptr, composed, large});
}

}  // namespace

void add_norm_cases(std::vector<OpCase>& cases) {
  for (const bool layer : {true, false}) {
    for (const Shape& x :
         {Shape{1, 1}, Shape{1, 7}, Shape{9, 2}, Shape{21, 33}, Shape{2, 3, 16}, Shape{33}}) {
      add_norm(cases, x, layer);
      add_residual_norm(cases, x, layer, 0.0, Used::kNormed, "no dropout");
      add_residual_norm(cases, x, layer, 0.3, Used::kNormed, "dropout");
      add_residual_norm(cases, x, layer, 0.3, Used::kBoth, "dropout, both used");
      add_residual_norm(cases, x, layer, 0.3, Used::kSum, "dropout, only the sum used");
    }
    add_norm(cases, {4096, 128}, layer, true);
    add_residual_norm(cases, {4096, 128}, layer, 0.1, Used::kNormed, "large", true);
  }
  for (const double dropout : {0.0, 0.3}) {
    add_residual(cases, {1, 1}, dropout);
    add_residual(cases, {13, 33}, dropout);
  }
  add_residual(cases, {4096, 128}, 0.1, true);
}

}  // namespace heddle::testing
