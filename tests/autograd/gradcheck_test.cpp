#include "autograd/gradcheck.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/op.h"
#include "autograd/ops/ops.h"
#include "tests/support/throws.h"

using namespace heddle;

namespace {

// x^3 with a gradient that may be wrong: `error` is added to element `at`.
Tensor cube(Context& context, const Tensor& x, std::int64_t at, double error) {
  const Op op(context, "cube", {x});
  const Tensor y = op.output(x.shape, x.dtype);
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const double v = x.as<double>()[i];
    y.as<double>()[i] = v * v * v;
  }
  op.record({y}, [=](Backward& b) {
    const double* const dy = b.upstream<double>(y);
    const auto dx = b.sink<double>(x);
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      const double v = x.as<double>()[i];
      kernels::put(dx, i, dy[i] * 3 * v * v + (i == at ? error : 0.0));
    }
  });
  return y;
}

ParameterStore& filled(ParameterStore& store, const Shape& shape) {
  store.declare("x", shape, Initialiser::uniform(2.0));
  store.allocate();
  store.initialise(5);
  return store;
}

}  // namespace

TEST_CASE("the gradient check accepts the right gradient and finds a small error") {
  ParameterStore store(DType::kFloat64);
  filled(store, {4, 25});
  const auto with_error = [&](double error) {
    return gradcheck("cube", store,
                     [&](Context& c) { return cube(c, c.use(store.find("x")), 17, error); });
  };
  const GradcheckReport good = with_error(0.0);
  CHECK_MESSAGE(good.passed(), good.message());
  CHECK(good.checked == 100);
  CHECK(good.worst.relative_error < 1e-8);
  const GradcheckReport bad = with_error(1e-4);
  CHECK_FALSE(bad.passed());
  REQUIRE(bad.failed == 1);
  CHECK(bad.failures[0].parameter == "x");
  CHECK(bad.failures[0].index == 17);
  CHECK(bad.failures[0].analytic - bad.failures[0].numeric == doctest::Approx(1e-4).epsilon(1e-3));
  CHECK(bad.message().find("failed x[17]: analytic") != std::string::npos);
  for (const double wrong : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    CHECK(with_error(wrong).failed == 1);
  }
}

TEST_CASE("the parameters are as before, and frozen ones are left out") {
  ParameterStore store(DType::kFloat64);
  filled(store, {10});
  const auto* values = static_cast<const double*>(store.slab());
  const std::vector<double> before(values, values + 10);
  const auto square = [&](Context& c) {
    const Tensor x = c.use(store.find("x"));
    return mul(c, x, x);
  };
  CHECK(gradcheck("square", store, square).passed());
  CHECK(std::vector<double>(values, values + 10) == before);
  store.set_trainable(store.find("x"), false);
  CHECK(gradcheck("square", store, square).checked == 0);
}

TEST_CASE("a kink is counted, and many kinks fail the check") {
  ParameterStore store(DType::kFloat64);
  filled(store, {2000});
  auto* values = static_cast<double*>(store.slab());
  const auto function = [&](Context& c) { return relu(c, c.use(store.find("x"))); };
  for (int i = 0; i < 2000; ++i) values[i] = i % 2 == 0 ? 0.5 : -0.5;
  CHECK(gradcheck("relu", store, function).kinked == 0);
  values[7] = 1e-5;  // between x - h and x + h
  const GradcheckReport one = gradcheck("relu", store, function);
  CHECK(one.kinked == 1);
  CHECK(one.kinks[0].index == 7);
  CHECK(one.passed());
  for (int i = 0; i < 10; ++i) values[i] = 1e-5;
  const GradcheckReport many = gradcheck("relu", store, function);
  CHECK(many.kinked == 10);
  CHECK(many.failed == 0);
  CHECK_FALSE(many.passed());
}

TEST_CASE("dropout is checked while on, with a mask that its key fixes") {
  ParameterStore store(DType::kFloat64);
  filled(store, {8, 40});
  int zeros = 0;
  const auto function = [&](Context& c) {
    const Tensor y = dropout(c, tanh(c, c.use(store.find("x"))), 0.4);
    zeros = static_cast<int>(std::count(y.as<double>(), y.as<double>() + y.elements(), 0.0));
    return y;
  };
  const GradcheckReport report = gradcheck("dropout", store, function);
  CHECK_MESSAGE(report.passed(), report.message());
  CHECK(zeros > 80);
  CHECK(zeros < 180);
}

TEST_CASE("a gradient that is exactly zero passes beside large ones") {
  // A bias of the keys shifts all scores of a query alike: softmax does not see it.
  ParameterStore store(DType::kFloat64);
  store.declare("scores", {3, 5}, Initialiser::normal(1.0));
  store.declare("shift", {3, 1}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(2);
  const GradcheckReport report = gradcheck("softmax", store, [&](Context& c) {
    return softmax(c, add(c, c.use(store.find("scores")), c.use(store.find("shift"))));
  });
  CHECK_MESSAGE(report.passed(), report.message());
}

TEST_CASE("a sample of the coordinates of large parameters") {
  ParameterStore store(DType::kFloat64);
  filled(store, {1000});
  GradcheckOptions options;
  options.most_coordinates = 50;
  const auto report = gradcheck(
      "exp", store, [&](Context& c) { return exp(c, c.use(store.find("x"))); }, options);
  CHECK(report.passed());
  CHECK(report.checked == 50);
}

TEST_CASE("a function that throws leaves the parameters as they were") {
  ParameterStore store(DType::kFloat64);
  filled(store, {5});
  const auto* values = static_cast<const double*>(store.slab());
  const std::vector<double> before(values, values + 5);
  int calls = 0;
  const auto function = [&](Context& c) {
    check(++calls < 4, "enough");
    return exp(c, c.use(store.find("x")));
  };
  CHECK_MESSAGE_THROWN(gradcheck("exp", store, function), "enough");
  CHECK(std::vector<double>(values, values + 5) == before);
}

TEST_CASE("float32 is refused") {
  ParameterStore store(DType::kFloat32);
  filled(store, {2});
  CHECK_MESSAGE_THROWN(
      gradcheck("exp", store, [&](Context& c) { return exp(c, c.use(store.find("x"))); }),
      "gradcheck exp: needs a float64 store");
}
