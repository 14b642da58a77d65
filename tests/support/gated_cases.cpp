#include "autograd/ops/arithmetic.h"
#include "autograd/ops/gated.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/shaping.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

struct Gate {
  const char* label;
  Activation activation;
  Tensor (*function)(Context&, const Tensor&);  // null: none
};

void add_gated(std::vector<OpCase>& cases, const Gate& gate, const Shape& x, bool large = false) {
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return gated(c, in[0], gate.activation);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    const int last = x.rank() - 1;
    const Tensor first = slice(c, in[0], last, 0, x.columns() / 2);
    const Tensor value = slice(c, in[0], last, x.columns() / 2, x.columns());
    return mul(c, gate.function != nullptr ? gate.function(c, first) : first, value);
  };
  cases.push_back({"gated", gate.label, {{"x", x, -3.0, 3.0}}, run, nullptr, composed, large});
}

}  // namespace

void add_gated_cases(std::vector<OpCase>& cases) {
  const Gate silu_gate{"silu", Activation::kSilu, silu};
  for (const Gate& gate :
       {Gate{"none", Activation::kNone, nullptr}, Gate{"relu", Activation::kRelu, relu},
        Gate{"gelu", Activation::kGelu, gelu}, silu_gate, Gate{"tanh", Activation::kTanh, tanh},
        Gate{"sigmoid", Activation::kSigmoid, sigmoid}}) {
    for (const Shape& x : {Shape{2}, Shape{1, 2}, Shape{9, 10}, Shape{5, 66}, Shape{2, 3, 38}}) {
      add_gated(cases, gate, x);
    }
  }
  add_gated(cases, silu_gate, {4096, 512}, true);
}

}  // namespace heddle::testing
