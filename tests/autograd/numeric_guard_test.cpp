#include "autograd/numeric_guard.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/ops/ops.h"
#include "tests/support/random_values.h"

using namespace heddle;
using heddle::testing::random_values;
using heddle::testing::view;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Two layers with names; what goes wrong is chosen from outside.
struct Model {
  ParameterStore store{DType::kFloat64};
  Parameter first, second;
  double poison = 0.0;    // added to the input
  double exponent = 1.0;  // exp(exponent * h) in the second layer

  Model() {
    first = store.declare("encoder.weight", {4, 4}, Initialiser::normal(0.5));
    second = store.declare("decoder.weight", {4, 4}, Initialiser::normal(0.5));
    store.allocate();
    store.initialise(1);
  }

  Tensor loss(Context& c) const {
    auto values = random_values(8, 1);
    values[5] += poison;
    const Tensor x = c.constant({2, 4}, view(values));
    Tensor h;
    {
      const NamedScope scope(c, "encoder");
      h = dropout(c, linear(c, x, c.use(first)), 0.1);
    }
    const NamedScope scope(c, "decoder");
    h = linear(c, h, c.use(second));
    return sum_all(c, exp(c, scale(c, h, exponent)));
  }

  // What a training step does: loss and gradient norm, and on failure the search.
  bool step(Context& c, GradientSlab& slab, const StepKey& key) const {
    c.begin(Mode::kTraining, key);
    const Tensor l = loss(c);
    c.backward(l);
    slab.clear_unwritten(1);
    return is_finite_update(l.value(), gradient_norm(slab, 1));
  }
};

std::optional<NonFinite> search(const Model& m, Context& c, const StepKey& key) {
  return find_non_finite(c, key, [&](Context& context) { return m.loss(context); });
}

}  // namespace

TEST_CASE("a healthy step passes, and its replay finds nothing") {
  const Model m;
  GradientSlab slab(m.store);
  Context c(slab);
  const StepKey key{.seed = 1, .update = 9};
  CHECK(m.step(c, slab, key));
  CHECK_FALSE(search(m, c, key).has_value());
  CHECK_FALSE(c.scanning());
}

TEST_CASE("a bad input is found at the first operation that uses it") {
  Model m;
  m.poison = kNan;
  GradientSlab slab(m.store);
  Context c(slab);
  const StepKey key{.seed = 1, .update = 9};
  CHECK_FALSE(m.step(c, slab, key));
  const auto found = search(m, c, key);
  REQUIRE(found.has_value());
  CHECK(found->where == NonFinite::Where::kForward);
  CHECK(found->op == "linear");
  CHECK(found->scope == "encoder");
  CHECK(found->index == 4);
  CHECK(found->message() == "linear: its result [2, 4] holds nan at element 4, in layer encoder");
  CHECK_FALSE(slab.written(m.first));
}

TEST_CASE("an overflow is found in its layer") {
  Model m;
  m.exponent = 5000.0;
  GradientSlab slab(m.store);
  Context c(slab);
  const StepKey key{.seed = 1, .update = 9};
  CHECK_FALSE(m.step(c, slab, key));
  const auto found = search(m, c, key);
  REQUIRE(found.has_value());
  CHECK(found->op == "exp");
  CHECK(found->scope == "decoder");
  CHECK(std::isinf(found->value));
}

TEST_CASE("a bad parameter is named, and no parameter is touched") {
  Model m;
  GradientSlab slab(m.store);
  Context c(slab);
  auto* values = static_cast<double*>(m.store.slab());
  values[16 + 3] = std::numeric_limits<double>::infinity();
  const std::vector<double> before(values, values + 32);
  const StepKey key{.seed = 1, .update = 9};
  CHECK_FALSE(m.step(c, slab, key));
  const auto found = search(m, c, key);
  REQUIRE(found.has_value());
  CHECK(found->where == NonFinite::Where::kParameter);
  CHECK(found->message() == "parameter decoder.weight [4, 4] holds inf at element 3");
  CHECK(std::equal(before.begin(), before.end(), values));
}

TEST_CASE("a gradient that overflows in backward alone is found there") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("x", {3}, {});
  store.allocate();
  GradientSlab slab(store);
  Context c(slab);
  const auto loss = [&](Context& context) {
    const NamedScope scope(context, "root");
    return sum_all(context, sqrt(context, context.use(p)));  // sqrt'(0) is infinite
  };
  c.begin(Mode::kTraining);
  const Tensor l = loss(c);
  c.backward(l);
  CHECK(std::isfinite(l.value()));
  CHECK_FALSE(is_finite_update(l.value(), gradient_norm(slab, 1)));
  const auto found = find_non_finite(c, {}, loss);
  REQUIRE(found.has_value());
  CHECK(found->where == NonFinite::Where::kBackward);
  CHECK(found->op == "sqrt");
  CHECK(found->scope == "root");
  CHECK(found->message().find("sqrt: a gradient that it computed [3] holds inf") == 0);
}

TEST_CASE("infinities that were asked for are not accused") {
  Model m;
  GradientSlab slab(m.store);
  Context c(slab);
  const auto loss = [&](bool poisoned) {
    return [&m, poisoned](Context& context) {
      const std::vector<std::uint8_t> hidden{0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0};
      const Tensor mask = context.constant({4, 4}, std::span<const std::uint8_t>(hidden));
      const Tensor scores = masked_fill(context, context.use(m.first), mask, -INFINITY);
      const Tensor y = softmax(context, scores);
      return sum_all(context, poisoned ? log(context, y) : mul(context, y, y));
    };
  };
  CHECK_FALSE(find_non_finite(c, {}, loss(false)).has_value());
  const auto found = find_non_finite(c, {}, loss(true));
  REQUIRE(found.has_value());
  CHECK(found->op == "log");
}

TEST_CASE("the gradient norm is that of all parameters, on any number of threads") {
  ParameterStore store(DType::kFloat32);
  store.declare("a", {300, 700}, {});
  store.declare("b", {12345}, {});
  store.allocate();
  GradientSlab slab(store);
  const auto values = random_values<float>(store.elements(), 3);
  std::copy(values.begin(), values.end(), static_cast<float*>(slab.slab()));
  double squares = 0.0;
  for (const float x : values) squares += static_cast<double>(x) * static_cast<double>(x);
  const double norm = gradient_norm(slab, 1);
  CHECK(norm == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  for (const int threads : {2, 3, 4}) CHECK(gradient_norm(slab, threads) == norm);
}

TEST_CASE("an exception of the step itself leaves the context as it was") {
  Context c;
  CHECK_THROWS_AS(find_non_finite(c, {}, [](Context&) -> Tensor { fail("broken"); }), Error);
  CHECK_FALSE(c.scanning());
}
