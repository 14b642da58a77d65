#include "autograd/parameter.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/context.h"
#include "autograd/gradient_slab.h"
#include "tests/support/throws.h"

using namespace heddle;

namespace {

std::vector<double> values_of(const ParameterStore& store, Parameter p) {
  const auto* values = static_cast<const double*>(store.data(p));
  return {values, values + p.shape().elements()};
}

}  // namespace

TEST_CASE("scopes name parameters, the slab keeps their order without padding") {
  ParameterStore store(DType::kFloat32);
  const Scope layer = Scope(store) / "encoder" / "layers" / 0;
  const Parameter weight = layer.declare("weight", {3, 5}, Initialiser::normal(1.0));
  const Parameter bias = layer.declare("bias", {3}, Initialiser::constant(0.5));
  CHECK(weight.name() == "encoder.layers.0.weight");
  CHECK(store.elements() == 18);
  store.allocate();
  store.initialise(1);
  CHECK(static_cast<float*>(store.data(bias)) == static_cast<float*>(store.slab()) + 15);
  CHECK(static_cast<float*>(store.data(bias))[2] == 0.5F);
  CHECK(store.find("encoder.layers.0.bias").first == bias.first);
}

TEST_CASE("initial values depend on seed and name alone, and have their moments") {
  const auto draw = [](std::uint64_t seed, bool with_other, const std::string& name) {
    ParameterStore store(DType::kFloat64);
    if (with_other) store.declare("other", {7}, Initialiser::normal(1.0));
    const Parameter p = store.declare(name, {200, 500}, Initialiser::normal(0.02));
    store.allocate();
    store.initialise(seed);
    return values_of(store, p);
  };
  const auto values = draw(1, false, "weight");
  CHECK(values == draw(1, true, "weight"));
  CHECK(values != draw(2, false, "weight"));
  CHECK(values != draw(1, false, "weights"));
  double sum = 0.0, squares = 0.0;
  for (const double x : values) {
    sum += x;
    squares += x * x;
  }
  const double count = 100000;
  CHECK(std::abs(sum / count) < 5 * 0.02 / std::sqrt(count));
  CHECK(std::abs(squares / count / (0.02 * 0.02) - 1.0) < 5 * std::sqrt(2.0 / count));
}

TEST_CASE("Xavier uniform keeps its bound and variance") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("w", {256, 128}, Initialiser::xavier_uniform(128, 256));
  store.allocate();
  store.initialise(3);
  const double bound = std::sqrt(6.0 / 384.0);
  double squares = 0.0, largest = 0.0;
  for (const double x : values_of(store, p)) {
    squares += x * x;
    largest = std::max(largest, std::abs(x));
  }
  CHECK(largest <= bound);
  CHECK(largest > 0.99 * bound);
  const double count = 256 * 128;
  CHECK(std::abs(squares / count - bound * bound / 3) <
        5 * bound * bound * std::sqrt(4.0 / 45 / count));
}

TEST_CASE("neighbours join to one matrix; others do not") {
  ParameterStore store(DType::kFloat64);
  const Parameter q = store.declare("q", {2, 4}, {});
  const Parameter k = store.declare("k", {3, 4}, {});
  const Parameter v = store.declare("v", {3, 5}, {});
  CHECK(joined({q, k}).shape() == Shape{5, 4});
  CHECK(joined({q}).shape() == Shape{2, 4});
  CHECK_MESSAGE_THROWN(joined({k, q}), "joined: q does not follow the parameter before it");
  CHECK_MESSAGE_THROWN(joined({q, v}), "joined: v does not follow");
  CHECK_MESSAGE_THROWN(joined({k, v}), "joined: v [3, 5] does not fit [3, 4]");
}

TEST_CASE("misuse of the two phases is named") {
  ParameterStore store(DType::kFloat32);
  const Parameter p = store.declare("weight", {2}, {});
  CHECK_MESSAGE_THROWN(store.declare("weight", {2}, {}), "parameter weight: declared twice");
  CHECK_MESSAGE_THROWN(store.declare("empty", {0, 3}, {}), "shape [0, 3] holds no element");
  CHECK_MESSAGE_THROWN(store.data(p), "used before the slab was allocated");
  CHECK_MESSAGE_THROWN(GradientSlab{store}, "not allocated yet");
  CHECK_MESSAGE_THROWN(store.initialise(1), "before the slab was allocated");
  store.allocate();
  CHECK_MESSAGE_THROWN(store.allocate(), "already allocated");
  CHECK_MESSAGE_THROWN(store.declare("late", {2}, {}), "declared after the slab was allocated");
  CHECK_MESSAGE_THROWN(store.find("wieght"), "did you mean \"weight\"?");
  CHECK_MESSAGE_THROWN(ParameterStore{DType::kInt32}, "need float32 or float64");
}

TEST_CASE("a parameter of another store than the context's gradients is refused") {
  ParameterStore one(DType::kFloat64), other(DType::kFloat64);
  const Parameter p = other.declare("p", {2}, {});
  one.declare("p", {2}, {});
  one.allocate();
  other.allocate();
  GradientSlab slab(one);
  Context context(slab);
  context.begin(Mode::kTraining);
  CHECK_MESSAGE_THROWN(context.use(p), "belongs to another store");
}

TEST_CASE("a store can live in memory of somebody else") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("p", {3}, {});
  auto memory = std::make_shared<std::vector<double>>(std::vector{1.0, 2.0, 3.0});
  store.adopt(std::shared_ptr<void>(memory, memory->data()));
  CHECK(values_of(store, p) == *memory);
}
