#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "autograd/ops/ops.h"
#include "tests/support/throws.h"

using namespace heddle;

namespace {

struct Example {
  ParameterStore store;
  Parameter a, b;
  bool wrong = false;

  explicit Example(DType dtype = DType::kFloat64)
      : store(dtype),
        a(store.declare("a", {20, 30}, Initialiser::normal(1.0))),
        b(store.declare("b", {30}, Initialiser::normal(1.0))) {
    store.allocate();
    store.initialise(3);
  }

  // With many kinks; a wrong gradient hides a part of b's.
  Tensor operator()(Context& c) const {
    const Tensor shift = wrong ? scale(c, stop_gradient(c, c.use(b)), 1.0) : c.use(b);
    const Tensor y = relu(c, add(c, c.use(a), shift));
    return sum_all(c, mul(c, y, tanh(c, c.use(a))));
  }
};

GradcheckDirections run(Example& example) {
  return gradcheck_directions(
      example.store, [&](Context& c) { return example(c); }, 6);
}

}  // namespace

TEST_CASE("gradcheck along directions: a right gradient passes, the parameters stay") {
  Example example;
  const auto* slab = static_cast<const double*>(example.store.slab());
  const std::vector<double> before(slab, slab + example.store.elements());
  const GradcheckDirections found = run(example);
  CHECK(found.passed());
  CHECK(found.worst() < 1e-7);
  REQUIRE(found.directions.size() == 6);
  CHECK(found.directions[0].numeric != found.directions[1].numeric);
  CHECK(std::abs(found.directions[0].analytic) > 0.1);
  CHECK(std::equal(before.begin(), before.end(), slab));
}

TEST_CASE("gradcheck along directions: a missing part fails") {
  Example example;
  example.wrong = true;
  const GradcheckDirections found = run(example);
  CHECK_FALSE(found.passed());
  for (const GradcheckDirection& d : found.directions) CHECK(d.relative_error > 1e-3);
}

TEST_CASE("gradcheck along directions: frozen parameters do not move") {
  Example example;
  example.wrong = true;
  example.store.set_trainable(example.b, false);
  CHECK(run(example).passed());
}

TEST_CASE("gradcheck along directions: not a number is no success, float32 is refused") {
  Example example;
  static_cast<double*>(example.store.slab())[0] = std::nan("");
  CHECK_FALSE(run(example).passed());
  Example narrow(DType::kFloat32);
  CHECK_MESSAGE_THROWN(run(narrow), "gradcheck: needs a float64 store");
}
