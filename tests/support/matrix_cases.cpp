#include "autograd/ops/arithmetic.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/shaping.h"
#include "tests/support/masks.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

void add_matmul(std::vector<OpCase>& cases, const Shape& a, const Shape& b, bool large = false) {
  const auto run = [](Context& c, std::span<const Tensor> in) { return matmul(c, in[0], in[1]); };
  const Oracle naive = [=](std::span<const Values> in) {
    const std::int64_t m = a[a.rank() - 2], k = a.columns(), n = b.columns();
    const std::int64_t in_a = a.elements() / (m * k), in_b = b.elements() / (k * n);
    std::vector<double> out;
    for (std::int64_t batch = 0; batch < std::max(in_a, in_b); ++batch) {
      const std::int64_t left = in_a == 1 ? 0 : batch * m * k;
      const std::int64_t right = in_b == 1 ? 0 : batch * k * n;
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          double sum = 0.0;
          for (std::int64_t l = 0; l < k; ++l) {
            sum += in[0][left + i * k + l] * in[1][right + l * n + j];
          }
          out.push_back(sum);
        }
      }
    }
    return out;
  };
  cases.push_back(
      {"matmul", large ? "large" : "", {{"a", a}, {"b", b}}, run, naive, nullptr, large, 1e-5});
}

Tensor activated(Context& c, const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return relu(c, x);
    case Activation::kGelu:
      return gelu(c, x);
    case Activation::kSilu:
      return silu(c, x);
    case Activation::kTanh:
      return tanh(c, x);
    case Activation::kSigmoid:
      return sigmoid(c, x);
    case Activation::kNone:
      break;
  }
  return x;
}

void add_linear(std::vector<OpCase>& cases, const Shape& x, std::int64_t out, bool bias,
                Activation activation, const std::string& label, bool large = false,
                double probability = 0.0) {
  std::vector<OpInput> inputs{{"x", x}, {"weight", {out, x.columns()}}};
  if (bias) inputs.push_back({"bias", {out}});
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return linear(c, in[0], in[1], bias ? in[2] : Tensor{}, activation, probability);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    const Tensor rows = reshape(c, in[0], {x.rows(), x.columns()});
    Tensor y = matmul(c, rows, transpose(c, in[1]));
    if (bias) y = add(c, y, in[2]);
    y = activated(c, y, activation);
    if (probability > 0.0) y = mul(c, y, dropout_mask(c, y.shape, y.dtype, probability));
    return reshape(c, y, x.with(x.rank() - 1, out));
  };
  cases.push_back({"linear", label, inputs, run, nullptr, composed, large, 1e-5});
}

}  // namespace

void add_matrix_cases(std::vector<OpCase>& cases) {
  add_matmul(cases, {1, 1}, {1, 1});
  add_matmul(cases, {1, 5}, {5, 7});
  add_matmul(cases, {6, 1}, {1, 3});
  add_matmul(cases, {3, 4, 5}, {3, 5, 2});
  add_matmul(cases, {3, 4, 5}, {5, 2});
  add_matmul(cases, {4, 5}, {3, 5, 2});
  add_matmul(cases, {2, 3, 4, 5}, {2, 3, 5, 1});
  add_matmul(cases, {4096, 128}, {128, 128}, true);
  for (const Shape& x : {Shape{1, 1}, Shape{1, 9}, Shape{13, 5}, Shape{2, 3, 17}}) {
    add_linear(cases, x, 7, true, Activation::kNone, "bias");
    add_linear(cases, x, 1, false, Activation::kNone, "no bias");
    add_linear(cases, x, 19, true, Activation::kRelu, "relu");
    add_linear(cases, x, 3, true, Activation::kGelu, "gelu");
    add_linear(cases, x, 3, false, Activation::kSilu, "silu, no bias");
    add_linear(cases, x, 9, true, Activation::kNone, "dropout", false, 0.3);
    add_linear(cases, x, 19, true, Activation::kRelu, "relu, dropout", false, 0.3);
    add_linear(cases, x, 3, false, Activation::kGelu, "gelu, no bias, dropout", false, 0.5);
    add_linear(cases, x, 4, true, Activation::kSilu, "silu, dropout", false, 0.1);
    add_linear(cases, x, 5, true, Activation::kTanh, "tanh");
    add_linear(cases, x, 2, true, Activation::kSigmoid, "sigmoid");
  }
  for (const std::int64_t d : {128, 256, 512}) {
    const std::string label = std::to_string(d);
    add_linear(cases, {4096, d}, d, true, Activation::kNone, label, true);
    if (d == 128) {
      add_linear(cases, {4096, d}, 2 * d, true, Activation::kRelu, label + " relu", true);
      add_linear(cases, {4096, d}, 2 * d, true, Activation::kGelu, label + " gelu", true);
      add_linear(cases, {4096, d}, 2 * d, true, Activation::kRelu, label + " relu, dropout", true,
                 0.3);
    }
  }
}

}  // namespace heddle::testing
