// Bad input to every operation: one sentence with its name, the shapes and the offending number,
// before anything is computed. What every operation refuses comes from the table of cases; what is
// special to one is spelled out here and, for sentences and tokens, in bad_tokens_test.cpp.
#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <sstream>

#include "autograd/ops/ops.h"
#include "tests/support/op_cases.h"
#include "tests/support/refusals.h"
#include "tests/support/throws.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint8_t kMask[] = {0, 1, 0};

// The message of running a case with one of its inputs replaced; empty where it runs.
std::string message_of(Context& context, const OpCase& op_case, std::size_t replaced,
                       const Tensor& by) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    inputs.push_back(i == replaced ? by : tensor_of(context, op_case.inputs[i].shape));
  }
  try {
    op_case.run(context, inputs);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Calls body(op_case, input) for every input of every small case, each in a step of its own.
template <class Body>
int for_each_input(Context& context, const Body& body) {
  int count = 0;
  for (const OpCase& op_case : op_cases()) {
    // The case of sinusoids has a product for its input.
    if (op_case.large || op_case.op == "sinusoidal_positions") continue;
    for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
      context.begin(Mode::kTraining, kCaseKey);
      CAPTURE(op_case.op);
      CAPTURE(op_case.label);
      CAPTURE(op_case.inputs[i].name);
      body(op_case, i);
      ++count;
    }
  }
  return count;
}

std::string text(const Shape& shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

}  // namespace

TEST_CASE("bad input: every operation refuses a tensor of another context, for every input") {
  Context context, other;
  other.begin(Mode::kTraining);
  const int count = for_each_input(context, [&](const OpCase& op_case, std::size_t i) {
    const Shape& shape = op_case.inputs[i].shape;
    CHECK(message_of(context, op_case, i, tensor_of(other, shape)) ==
          op_case.op + ": tensor " + text(shape) +
              " belongs to another context (use it where it was made)");
    CHECK(context.tape().nodes() == 0);
  });
  CHECK(count > 300);
}

TEST_CASE("bad input: every operation refuses a tensor of an earlier step, for every input") {
  Context context;
  for_each_input(context, [&](const OpCase& op_case, std::size_t i) {
    const Shape& shape = op_case.inputs[i].shape;
    const Tensor gone = tensor_of(context, shape);
    context.begin(Mode::kTraining, kCaseKey);
    CHECK(message_of(context, op_case, i, gone) ==
          op_case.op + ": tensor " + text(shape) +
              " belongs to an earlier step; its memory is gone");
    CHECK(context.tape().nodes() == 0);
  });
}

TEST_CASE("bad input: every operation refuses an empty Tensor where it needs one") {
  const std::set<std::string> optional{"linear bias", "residual_norm bias", "embed positions",
                                       "cross_entropy bias"};
  Context context;
  for_each_input(context, [&](const OpCase& op_case, std::size_t i) {
    const std::string message = message_of(context, op_case, i, {});
    if (optional.contains(op_case.op + " " + op_case.inputs[i].name)) {
      CHECK(message == "");
      return;
    }
    CHECK(message.find(op_case.op + ": ") == 0);
    CHECK(context.tape().nodes() == 0);
  });
}

TEST_CASE("bad input: every operation refuses integers, and one type beside another") {
  const std::set<std::string> any_type{"reshape"};  // moves nothing
  Context context;
  for_each_input(context, [&](const OpCase& op_case, std::size_t i) {
    if (any_type.contains(op_case.op)) return;
    const Shape& shape = op_case.inputs[i].shape;
    for (const DType dtype : {DType::kInt32, DType::kUInt8, DType::kFloat64}) {
      if (dtype == DType::kFloat64 && op_case.inputs.size() == 1) continue;
      CAPTURE(dtype);
      const std::string message = message_of(context, op_case, i, tensor_of(context, shape, dtype));
      CHECK(message.find(op_case.op + ": ") == 0);
      CHECK(message.find(name_of(dtype)) != std::string::npos);
      CHECK(context.tape().nodes() == 0);
    }
  });
}

TEST_CASE("bad input: arithmetic") {
  Refusals r;
  Context& c = r.c;
  const Tensor a = r({2, 3}), b = r({4}), wide = r.float64({2, 3});
  CHECK_MESSAGE_THROWN(add(c, a, b), "add: [2, 3] and [4] do not broadcast");
  CHECK_MESSAGE_THROWN(sub(c, a, b), "sub: [2, 3] and [4] do not broadcast");
  CHECK_MESSAGE_THROWN(mul(c, a, b), "mul: [2, 3] and [4] do not broadcast");
  CHECK_MESSAGE_THROWN(div(c, a, b), "div: [2, 3] and [4] do not broadcast");
  CHECK_MESSAGE_THROWN(maximum(c, b, a), "maximum: [4] and [2, 3] do not broadcast");
  CHECK_MESSAGE_THROWN(add(c, a, wide), "add: [2, 3] of float32 and [2, 3] of float64");
  CHECK_MESSAGE_THROWN(scale(c, r.int32({2}), 2.0), "scale: needs float32 or float64, not int32");
  CHECK_MESSAGE_THROWN(shift(c, r.mask({2}), 2.0), "shift: needs float32 or float64, not uint8");

  CHECK_MESSAGE_THROWN(where(c, r.mask({2}), a, a), "where: [2] and [2, 3] do not broadcast");
  CHECK_MESSAGE_THROWN(where(c, r.mask({3}), a, b), "where: [2, 3] and [4] do not broadcast");
  CHECK_MESSAGE_THROWN(where(c, r.int32({2, 3}), a, a), "where: the mask is of int32, not uint8");
  CHECK_MESSAGE_THROWN(where(c, a, a, a), "where: the mask is of float32, not uint8");
  CHECK_MESSAGE_THROWN(where(c, {}, a, a), "where: input 0 is an empty Tensor");
  CHECK_MESSAGE_THROWN(where(c, r.mask({3}), a, wide), "of float32 and [2, 3] of float64");
  CHECK_MESSAGE_THROWN(masked_fill(c, a, r.mask({2}), 0.0),
                       "masked_fill: [2, 3] and [2] do not broadcast");
  CHECK_MESSAGE_THROWN(masked_fill(c, b, r.mask({3, 4}), 0.0),
                       "masked_fill: mask [3, 4] is larger than x [4]");
  CHECK_MESSAGE_THROWN(masked_fill(c, a, a, 0.0), "masked_fill: the mask is of float32, not uint8");
  CHECK_MESSAGE_THROWN(masked_fill(c, a, {}, 0.0), "masked_fill: input 1 is an empty Tensor");
  r.check_untouched();
}

TEST_CASE("bad input: pointwise") {
  Refusals r;
  Context& c = r.c;
  for (const auto op : {neg, abs, exp, log, heddle::sqrt, tanh, sigmoid, relu, gelu, silu}) {
    CHECK_MESSAGE_THROWN(op(c, r.int32({2})), ": needs float32 or float64, not int32");
    CHECK_MESSAGE_THROWN(op(c, {}), ": input 0 is an empty Tensor");
  }
  CHECK_MESSAGE_THROWN(pow(c, r.int32({2}), 2.0), "pow: needs float32 or float64, not int32");
  CHECK_MESSAGE_THROWN(stop_gradient(c, {}), "stop_gradient: input 0 is an empty Tensor");
  for (const double p : {1.0, 1.5, -0.1, kNotANumber, kInfinity}) {
    CAPTURE(p);
    CHECK_MESSAGE_THROWN(dropout(c, r({2, 3}), p), "dropout: probability of dropout ");
    CHECK_MESSAGE_THROWN(dropout(c, r({2, 3}), p), " is outside [0, 1)");
  }
  CHECK_MESSAGE_THROWN(dropout(c, r.int32({4}), 0.5), "dropout: needs float32 or float64, not [4]");
  const auto gate = [&](const Tensor& x) { return gated(c, x, Activation::kSilu); };
  CHECK_MESSAGE_THROWN(gate(r({2, 3})), "gated: x [2, 3] needs an even number of columns, half of");
  CHECK_MESSAGE_THROWN(gate(r({})), "gated: x [] needs an even number of columns");
  CHECK_MESSAGE_THROWN(gate(r.int32({2, 4})),
                       "gated: needs float32 or float64, not [2, 4] of int32");
  CHECK_MESSAGE_THROWN(gate({}), "gated: input 0 is an empty Tensor");
  r.check_untouched();
  // What training refuses inference does not let pass.
  c.begin(Mode::kInference);
  CHECK_MESSAGE_THROWN(dropout(c, r.int32({4}), 0.5), "dropout: needs float32 or float64, not [4]");
  CHECK_MESSAGE_THROWN(dropout(c, r({4}), 1.0), "dropout: probability of dropout 1 is outside");
}

TEST_CASE("bad input: reductions") {
  Refusals r;
  Context& c = r.c;
  const Tensor x = r({2, 3});
  CHECK_MESSAGE_THROWN(sum(c, x, 2), "sum: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(sum(c, x, -3), "sum: axis -3 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(mean(c, x, 2), "mean: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(max(c, x, -3), "max: axis -3 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(variance(c, x, 2), "variance: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(logsumexp(c, x, 7), "logsumexp: axis 7 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(softmax(c, x, 2), "softmax: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(log_softmax(c, x, -3), "log_softmax: axis -3 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(sum(c, r({}), 0), "sum: axis 0 is outside []");
  CHECK_MESSAGE_THROWN(softmax(c, r({})), "softmax: axis -1 is outside []");
  CHECK_MESSAGE_THROWN(sum(c, x, std::numeric_limits<int>::min()), "sum: axis -2147483648 is");
  CHECK_MESSAGE_THROWN(variance(c, x, 1, false, 3), "variance: correction 3 for 3 elements of [2");
  CHECK_MESSAGE_THROWN(variance(c, x, 1, false, -1), "variance: correction -1 for 3 elements of");
  CHECK_MESSAGE_THROWN(variance(c, r({4, 1}), 1),
                       "variance: correction 1 for 1 elements of [4, 1]");
  const Tensor none = r({0, 3}), narrow = r({3, 0});
  CHECK_MESSAGE_THROWN(sum(c, none, 0), "sum: [0, 3] holds no element");
  CHECK_MESSAGE_THROWN(sum(c, none, 1), "sum: [0, 3] holds no element");
  CHECK_MESSAGE_THROWN(mean(c, none, 0), "mean: [0, 3] holds no element");
  CHECK_MESSAGE_THROWN(max(c, narrow, 1), "max: [3, 0] holds no element");
  CHECK_MESSAGE_THROWN(variance(c, narrow, 1), "variance: [3, 0] holds no element");
  CHECK_MESSAGE_THROWN(logsumexp(c, none, 0), "logsumexp: [0, 3] holds no element");
  CHECK_MESSAGE_THROWN(sum_all(c, none), "sum_all: [0] holds no element");
  CHECK_MESSAGE_THROWN(softmax(c, narrow), "softmax: [3, 0] holds no element");
  CHECK_MESSAGE_THROWN(log_softmax(c, none, 0), "log_softmax: [0, 3] holds no element");
  r.check_untouched();
}

TEST_CASE("bad input: shaping") {
  Refusals r;
  Context& c = r.c;
  const Tensor x = r({2, 3});
  CHECK_MESSAGE_THROWN(reshape(c, x, {4}), "reshape: [2, 3] does not fit [4]");
  CHECK_MESSAGE_THROWN(reshape(c, {}, {1}), "reshape: input 0 is an empty Tensor");
  CHECK_MESSAGE_THROWN(transpose(c, x, 0, 2), "transpose: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(transpose(c, x, -3, 0), "transpose: axis -3 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(transpose(c, r({4})), "transpose: axis -2 is outside [4]");
  CHECK_MESSAGE_THROWN(slice(c, x, 2, 0, 1), "slice: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(slice(c, x, 1, 0, 4), "slice: [0, 4) is empty or outside axis 1 of [2, 3]");
  CHECK_MESSAGE_THROWN(slice(c, x, 1, -1, 2), "slice: [-1, 2) is empty or outside axis 1 of [2");
  CHECK_MESSAGE_THROWN(slice(c, x, 1, 2, 2), "slice: [2, 2) is empty or outside axis 1 of [2, 3]");
  CHECK_MESSAGE_THROWN(slice(c, x, 0, 2, 1), "slice: [2, 1) is empty or outside axis 0 of [2, 3]");
  CHECK_MESSAGE_THROWN(slice(c, r({0, 3}), 0, 0, 1), "slice: [0, 1) is empty or outside axis 0 of");

  const auto joined = [&](const auto& join, std::vector<Tensor> parts, int axis) {
    return join(c, parts, axis);
  };
  CHECK_MESSAGE_THROWN(joined(concat, {}, 0), "concat: no part given");
  CHECK_MESSAGE_THROWN(joined(concat, {x, x}, 2), "concat: axis 2 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(joined(concat, {x, r({2, 4})}, 0), "concat: [2, 4] does not fit [2, 3]");
  CHECK_MESSAGE_THROWN(joined(concat, {x, r({3})}, 0), "concat: [3] does not fit [2, 3] along");
  CHECK_MESSAGE_THROWN(joined(concat, {x, r.float64({2, 3})}, 0), "concat: float64 beside float32");
  CHECK_MESSAGE_THROWN(joined(concat, {x, {}}, 0), "concat: [] does not fit [2, 3]");
  CHECK_MESSAGE_THROWN(joined(concat, {r.int32({2}), r.int32({2})}, 0), "concat: needs float32");
  CHECK_MESSAGE_THROWN(joined(stack, {}, 0), "stack: no part given");
  CHECK_MESSAGE_THROWN(joined(stack, {x, x}, 3), "stack: axis 3 is outside [2, 3]");
  CHECK_MESSAGE_THROWN(joined(stack, {x, x}, -4), "stack: axis -");
  CHECK_MESSAGE_THROWN(joined(stack, {x, r({3, 2})}, 0), "stack: [3, 2] of float32 beside [2, 3]");
  CHECK_MESSAGE_THROWN(joined(stack, {x, r.float64({2, 3})}, 0), "stack: [2, 3] of float64 beside");
  CHECK_MESSAGE_THROWN(joined(stack, {Tensor{}}, 0), "stack: input 0 is an empty Tensor");
  CHECK_MESSAGE_THROWN(joined(stack, {r({1, 1, 1, 1, 1, 2})}, 0),
                       "stack: [1, 1, 1, 1, 1, 2] has as many axes as possible");

  const std::vector<std::int32_t> low{0, -1}, high{1, 0, 3}, none;
  CHECK_MESSAGE_THROWN(gather(c, x, 1, low), "gather: index -1 at position 1 is outside axis 1 of");
  CHECK_MESSAGE_THROWN(gather(c, x, -1, high),
                       "gather: index 3 at position 2 is outside axis 1 of");
  CHECK_MESSAGE_THROWN(gather(c, x, 0, high), "at position 2 is outside axis 0 of [2, 3]");
  CHECK_MESSAGE_THROWN(gather(c, x, 0, none), "gather: no index given");
  CHECK_MESSAGE_THROWN(gather(c, x, 2, high), "gather: axis 2 is outside [2, 3]");
  r.check_untouched();
}

TEST_CASE("bad input: matrix products") {
  Refusals r;
  Context& c = r.c;
  const Tensor x = r({2, 3});
  CHECK_MESSAGE_THROWN(matmul(c, x, x), "matmul: [2, 3] of float32 times [2, 3] of float32");
  CHECK_MESSAGE_THROWN(matmul(c, r({3}), r({3, 2})), "matmul: [3] of float32 times [3, 2]");
  CHECK_MESSAGE_THROWN(matmul(c, x, r({3})), "matmul: [2, 3] of float32 times [3] of float32");
  CHECK_MESSAGE_THROWN(matmul(c, x, r.float64({3, 2})), "float32 times [3, 2] of float64");
  CHECK_MESSAGE_THROWN(matmul(c, r({2, 4, 3}), r({3, 3, 5})),
                       "matmul: the leading dimensions of [2, 4, 3] and [3, 3, 5] differ");
  CHECK_MESSAGE_THROWN(matmul(c, r({2, 3, 4, 3}), r({6, 3, 5})), "[6, 3, 5] differ");
  CHECK_MESSAGE_THROWN(matmul(c, r({0, 3}), r({3, 2})), "matmul: [0, 3] times [3, 2] holds no");
  CHECK_MESSAGE_THROWN(matmul(c, r({2, 0}), r({0, 2})), "matmul: [2, 0] times [0, 2] holds no");
  CHECK_MESSAGE_THROWN(matmul(c, r({0, 2, 3}), r({0, 3, 2})), "matmul: [0, 2, 3] times [0, 3, 2]");

  CHECK_MESSAGE_THROWN(linear(c, r({4, 2}), r.weight(), r.bias()),
                       "linear: weight [5, 3] of float32 does not fit x [4, 2] of float32");
  CHECK_MESSAGE_THROWN(linear(c, r.float64({4, 3}), r.weight()),
                       "does not fit x [4, 3] of float64");
  CHECK_MESSAGE_THROWN(linear(c, x, r({5, 3, 1})), "linear: weight [5, 3, 1] of float32 does not");
  CHECK_MESSAGE_THROWN(linear(c, x, r({3})), "linear: weight [3] of float32 does not fit x [2, 3]");
  CHECK_MESSAGE_THROWN(linear(c, x, r({0, 3})), "linear: weight [0, 3] of float32");
  CHECK_MESSAGE_THROWN(linear(c, x, r.weight(), r({3})),
                       "linear: bias [3] of float32 does not fit the weight [5, 3]");
  CHECK_MESSAGE_THROWN(linear(c, x, r.weight(), r({1, 5})), "linear: bias [1, 5] of float32 does");
  CHECK_MESSAGE_THROWN(linear(c, x, r.weight(), r.float64({5})),
                       "linear: bias [5] of float64 does");
  CHECK_MESSAGE_THROWN(linear(c, r({0, 3}), r.weight()), "linear: x [0, 3] holds no row");
  CHECK_MESSAGE_THROWN(linear(c, r({}), r.weight()), "linear: x [] holds no row");
  CHECK_MESSAGE_THROWN(linear(c, x, {}), "linear: input 1 is an empty Tensor");
  r.check_untouched();
}

TEST_CASE("bad input: norms and residuals") {
  Refusals r;
  Context& c = r.c;
  const Tensor x = r({2, 3}), row = r({3}), none = r({0, 3});
  CHECK_MESSAGE_THROWN(layer_norm(c, x, r({2}), row),
                       "layer_norm: gain [2] of float32 does not fit x [2, 3] of float32");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, r({1, 3}), row), "layer_norm: gain [1, 3] of float32 does");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, row, r({4})), "layer_norm: bias [4] of float32 does not");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, row, r.float64({3})), "layer_norm: bias [3] of float64");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, row, {}), "layer_norm: needs a bias");
  CHECK_MESSAGE_THROWN(layer_norm(c, none, row, row), "layer_norm: x [0, 3] holds no row");
  CHECK_MESSAGE_THROWN(layer_norm(c, r({}), row, row), "layer_norm: x [] holds no row");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, row, row, -1e-5), "layer_norm: eps -1e-05 is negative");
  CHECK_MESSAGE_THROWN(layer_norm(c, x, row, row, kNotANumber),
                       "layer_norm: eps nan is negative or no");
  CHECK_MESSAGE_THROWN(rms_norm(c, x, r({4})), "rms_norm: gain [4] of float32 does not fit x [2");
  CHECK_MESSAGE_THROWN(rms_norm(c, x, {}), "rms_norm: input 1 is an empty Tensor");
  CHECK_MESSAGE_THROWN(rms_norm(c, r({3, 0}), r({0})), "rms_norm: x [3, 0] holds no row");
  CHECK_MESSAGE_THROWN(rms_norm(c, x, row, -1.0), "rms_norm: eps -1 is negative");

  const auto fused = [&](const Tensor& delta, const Tensor& gain, const Tensor& bias, double p,
                         double eps = 1e-5) {
    return residual_norm(c, x, delta, gain, bias, p, eps);
  };
  CHECK_MESSAGE_THROWN(fused(row, row, row, 0.1),
                       "residual_norm: x [2, 3] of float32 and delta [3] of float32 differ");
  CHECK_MESSAGE_THROWN(fused(r.float64({2, 3}), row, row, 0.1), "delta [2, 3] of float64 differ");
  CHECK_MESSAGE_THROWN(fused(x, r({2}), row, 0.1), "residual_norm: gain [2] of float32 does not");
  CHECK_MESSAGE_THROWN(fused(x, row, r({2}), 0.1), "residual_norm: bias [2] of float32 does not");
  CHECK_MESSAGE_THROWN(fused(x, row, row, 1.0), "residual_norm: probability of dropout 1 is");
  CHECK_MESSAGE_THROWN(fused(x, row, row, -0.1), "residual_norm: probability of dropout -0.1 is");
  CHECK_MESSAGE_THROWN(fused(x, row, row, kNotANumber),
                       "residual_norm: probability of dropout nan is");
  CHECK_MESSAGE_THROWN(fused(x, row, row, 0.1, -1.0), "residual_norm: eps -1 is negative");
  CHECK_MESSAGE_THROWN(residual_norm(c, none, none, row, row, 0.1, 1e-5),
                       "residual_norm: x [0, 3] holds no row");
  const Tensor number = r.int32({2, 3}), numbers = r.int32({3});
  CHECK_MESSAGE_THROWN(residual_norm(c, number, number, numbers, numbers, 0.1, 1e-5),
                       "residual_norm: needs float32 or float64, not [2, 3] of int32");

  CHECK_MESSAGE_THROWN(residual(c, x, row, 0.1), "residual: x [2, 3] of float32 and delta [3]");
  CHECK_MESSAGE_THROWN(residual(c, none, none, 0.1), "residual: x [0, 3] holds no row");
  CHECK_MESSAGE_THROWN(residual(c, number, number, 0.1), "residual: needs float32 or float64");
  for (const double p : {1.0, -0.1, kNotANumber}) {
    CHECK_MESSAGE_THROWN(residual(c, x, x, p), "residual: probability of dropout ");
  }
  r.check_untouched();
}

TEST_CASE("no rows where operations go element by element give no rows") {
  using Run = Tensor (*)(Context&, const Tensor& none, const Tensor& row, const Tensor& mask);
  const Run runs[] = {
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) { return gelu(c, x); },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) { return pow(c, x, 2.0); },
      [](Context& c, const Tensor& x, const Tensor& row, const Tensor&) { return add(c, x, row); },
      [](Context& c, const Tensor& x, const Tensor& row, const Tensor&) { return mul(c, row, x); },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) { return scale(c, x, 2.0); },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) { return dropout(c, x, 0.5); },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) {
        const Tensor both[] = {x, x};
        return gated(c, concat(c, both, 1), Activation::kGelu);
      },
      [](Context& c, const Tensor& x, const Tensor& row, const Tensor& mask) {
        return where(c, mask, x, row);
      },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor& mask) {
        return masked_fill(c, x, mask, 1.0);
      },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) {
        return slice(c, x, 1, 0, 3);
      },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) {
        return transpose(c, transpose(c, x));
      },
      [](Context& c, const Tensor& x, const Tensor&, const Tensor&) {
        const Tensor both[] = {x, x};
        return concat(c, both, 0);
      }};
  Context c;
  for (const Run run : runs) {
    c.begin(Mode::kTraining);
    const Tensor none = tensor_of(c, {0, 3}), row = tensor_of(c, {3});
    const Tensor y = run(c, none, row, c.constant({3}, std::span<const std::uint8_t>(kMask)));
    CHECK(y.shape == Shape{0, 3});
    c.tape().backward(c, y, c.empty({0, 3}, DType::kFloat32));
    CHECK(c.gradient(none).shape == Shape{0, 3});
    for (int i = 0; i < 3; ++i) CHECK(c.gradient(row).value(i) == 0.0);
  }
}
