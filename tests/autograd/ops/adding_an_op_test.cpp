// The example of docs/adding-an-op.md, word for word.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/gradcheck.h"
#include "autograd/op.h"
#include "tests/support/documents.h"
#include "tests/support/throws.h"

namespace heddle {
namespace {

Tensor swish(Context& context, const Tensor& x, const Tensor& beta) {
  const Op op(context, "swish", {x, beta});
  check(beta.shape == Shape{x.shape.columns()} && beta.dtype == x.dtype, "swish: beta ", beta.shape,
        " does not fit x ", x.shape);
  const Tensor y = op.output(x.shape, x.dtype);
  const std::int64_t columns = x.shape.columns();
  dispatch(x.dtype, "swish", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      const T v = x.as<T>()[i];
      y.as<T>()[i] = v / (1 + std::exp(-beta.as<T>()[i % columns] * v));
    }
  });
  // dy/dx = s (1 + beta x (1 - s)) and dy/dbeta = x^2 s (1 - s), with s = sigmoid(beta x).
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "swish", [&](auto zero) {
      using T = decltype(zero);
      const T* const dy = b.upstream<T>(y);
      const auto dx = b.sink<T>(x);
      const auto dbeta = b.sink<T>(beta);
      if (dbeta && !dbeta.add) std::fill_n(dbeta.data, columns, T{0});
      for (std::int64_t i = 0; i < x.elements(); ++i) {
        const T v = x.as<T>()[i];
        const T slope = beta.as<T>()[i % columns];
        const T s = 1 / (1 + std::exp(-slope * v));
        if (dx) kernels::put(dx, i, dy[i] * s * (1 + slope * v * (1 - s)));
        if (dbeta) dbeta.data[i % columns] += dy[i] * v * v * s * (1 - s);
      }
    });
  });
  return y;
}

}  // namespace
}  // namespace heddle

using namespace heddle;

TEST_CASE("an operation of one's own passes the gradient check") {
  ParameterStore store(DType::kFloat64);
  const Parameter x = store.declare("x", {3, 4}, Initialiser::normal(1.0));
  const Parameter beta = store.declare("beta", {4}, Initialiser::uniform(2.0));
  store.allocate();
  store.initialise(1);
  const GradcheckReport report = gradcheck("swish", store, [&](Context& context) {
    return swish(context, context.use(x), context.use(beta));
  });
  CHECK_MESSAGE(report.passed(), report.message());
  CHECK(report.checked == 16);
}

TEST_CASE("an operation of one's own refuses shapes that do not fit") {
  Context context;
  context.begin(Mode::kInference);
  const Tensor x = context.empty({3, 4}, DType::kFloat32);
  const Tensor beta = context.empty({3}, DType::kFloat32);
  CHECK_MESSAGE_THROWN(swish(context, x, beta), "swish: beta [3] does not fit x [3, 4]");
}

TEST_CASE("the guide shows this very code") {
  heddle::testing::check_shown_code("docs/adding-an-op.md",
                                    "tests/autograd/ops/adding_an_op_test.cpp", 2);
}
