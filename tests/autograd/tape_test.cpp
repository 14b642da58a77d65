#include "autograd/tape.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/base/parallel.h"
#include "autograd/ops/ops.h"
#include "tests/support/random_values.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::random_values;
using heddle::testing::view;

namespace {

std::vector<double> read(const Tensor& t) {
  return {t.as<double>(), t.as<double>() + t.elements()};
}

// A store with three matrices side by side and one that is on its own, and its slab full of
// garbage, as an update leaves it.
struct Model {
  ParameterStore store{DType::kFloat64};
  Parameter query, key, value, other;

  Model() {
    const Scope scope(store, "layer");
    query = scope.declare("query", {2, 3}, Initialiser::uniform(1.0));
    key = scope.declare("key", {2, 3}, Initialiser::uniform(1.0));
    value = scope.declare("value", {2, 3}, Initialiser::uniform(1.0));
    other = scope.declare("other", {3}, Initialiser::uniform(1.0));
    store.allocate();
    store.initialise(1);
  }
};

void fill_with_garbage(GradientSlab& slab) {
  auto* values = static_cast<double*>(slab.slab());
  std::fill_n(values, slab.store().elements(), std::numeric_limits<double>::quiet_NaN());
}

std::vector<double> gradient_of(const GradientSlab& slab, Parameter p) {
  const auto* values = static_cast<const double*>(slab.data(p));
  return {values, values + p.shape().elements()};
}

Tensor input(Context& c, std::uint64_t seed = 3) {
  const auto values = random_values(12, seed);
  return c.constant({4, 3}, view(values));
}

}  // namespace

TEST_CASE("a tensor that is used several times gets the sum of its gradients") {
  Context c;
  c.begin(Mode::kTraining);
  const std::vector<double> values{1.0, 2.0, -3.0};
  const Tensor x = c.leaf({3}, view(values));
  const Tensor y = add(c, mul(c, x, x), add(c, x, x));
  c.backward(sum_all(c, y));
  CHECK(read(c.gradient(x)) == std::vector<double>{4.0, 6.0, -4.0});
}

TEST_CASE("three slices of one tensor of which two are used") {
  Model m;
  GradientSlab slab(m.store);
  fill_with_garbage(slab);
  Context c(slab);
  c.begin(Mode::kTraining);
  const Tensor y = linear(c, input(c), c.use(joined({m.query, m.key, m.value})));
  const Tensor first = slice(c, y, 1, 0, 2);
  const Tensor second = slice(c, y, 1, 2, 4);
  const Tensor third = slice(c, y, 1, 4, 6);
  c.backward(sum_all(c, add(c, first, mul(c, second, second))));
  static_cast<void>(third);
  for (const double g : gradient_of(slab, m.value)) CHECK(g == 0.0);
  for (const double g : gradient_of(slab, m.query)) CHECK(std::isfinite(g));

  // The same with three products.
  GradientSlab plain(m.store);
  Context d(plain);
  d.begin(Mode::kTraining);
  const Tensor x = input(d);
  const Tensor a = linear(d, x, d.use(m.query));
  const Tensor b = linear(d, x, d.use(m.key));
  d.backward(sum_all(d, add(d, a, mul(d, b, b))));
  for (const Parameter p : {m.query, m.key}) {
    const auto ours = gradient_of(slab, p), theirs = gradient_of(plain, p);
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i] == doctest::Approx(theirs[i]));
  }
}

TEST_CASE("a parameter that the loss does not reach counts as zero") {
  Model m;
  GradientSlab slab(m.store);
  fill_with_garbage(slab);
  Context c(slab);
  c.begin(Mode::kTraining);
  const Tensor used = linear(c, input(c), c.use(m.query));
  const Tensor unused = mul(c, c.use(m.other), c.use(m.other));
  static_cast<void>(unused);
  c.backward(sum_all(c, used));
  CHECK(slab.written(m.query));
  CHECK_FALSE(slab.written(m.other));
  slab.clear_unwritten(2);
  for (const double g : gradient_of(slab, m.other)) CHECK(g == 0.0);
  for (const double g : gradient_of(slab, m.query)) CHECK(std::isfinite(g));
}

TEST_CASE("one sentence on two lanes: the lane without work adds nothing") {
  Model m;
  GradientSlab first(m.store), second(m.store), alone(m.store);
  fill_with_garbage(first);
  fill_with_garbage(second);
  const auto step = [&](GradientSlab& slab) {
    Context c(slab);
    c.begin(Mode::kTraining);
    c.backward(sum_all(c, linear(c, input(c), c.use(m.key))));
  };
  for (const bool lane_with_work : {false, true}) {
    first.reset();
    second.reset();
    alone.reset();
    step(lane_with_work ? second : first);
    step(alone);
    GradientSlab* const lanes[] = {&first, &second};
    sum_lanes(lanes, 2);
    alone.clear_unwritten(1);
    for (const Parameter p : {m.query, m.key, m.value, m.other}) {
      CHECK(gradient_of(first, p) == gradient_of(alone, p));
    }
    CHECK_FALSE(second.written(m.key));
  }
}

TEST_CASE("micro-batches add up after an update that left garbage") {
  Model m;
  GradientSlab slab(m.store), expected(m.store);
  const auto step = [&](GradientSlab& gradients, std::uint64_t seed) {
    Context c(gradients);
    c.begin(Mode::kTraining);
    const Tensor qkv = linear(c, input(c, seed), c.use(joined({m.query, m.key, m.value})));
    c.backward(sum_all(c, mul(c, qkv, qkv)));
  };
  step(expected, 3);
  const auto one = gradient_of(expected, m.key);
  expected.reset();
  step(expected, 4);
  const auto two = gradient_of(expected, m.key);
  for (int update = 0; update < 2; ++update) {
    slab.reset();
    fill_with_garbage(slab);
    step(slab, 3);
    step(slab, 4);
    const auto sum = gradient_of(slab, m.key);
    for (std::size_t i = 0; i < sum.size(); ++i) CHECK(sum[i] == doctest::Approx(one[i] + two[i]));
  }
}

TEST_CASE("joined neighbours of which one was written before are completed, not overwritten") {
  Model m;
  GradientSlab slab(m.store);
  fill_with_garbage(slab);
  Context c(slab);
  c.begin(Mode::kTraining);
  const Tensor x = input(c);
  const Tensor together = linear(c, x, c.use(joined({m.query, m.key, m.value})));
  const Tensor alone = linear(c, x, c.use(m.key));
  c.backward(add(c, sum_all(c, together), sum_all(c, alone)));
  const auto query = gradient_of(slab, m.query), key = gradient_of(slab, m.key);
  for (std::size_t i = 0; i < key.size(); ++i) CHECK(key[i] == doctest::Approx(2.0 * query[i]));
}

TEST_CASE("one lane and three lanes give the same gradients, bits independent of threads") {
  Model m;
  std::vector<GradientSlab> slabs;
  for (int i = 0; i < 5; ++i) slabs.emplace_back(m.store);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 4}) {
    std::vector<GradientSlab*> lanes;
    for (GradientSlab& slab : slabs) {
      slab.reset();
      lanes.push_back(&slab);
    }
    run_lanes(5, threads, 1, [&](int lane) {
      Context c(*lanes[static_cast<std::size_t>(lane)]);
      c.begin(Mode::kTraining, {.seed = 1, .lane = static_cast<std::uint32_t>(lane)});
      const Tensor y = linear(c, input(c, static_cast<std::uint64_t>(lane)), c.use(m.query));
      c.backward(sum_all(c, mul(c, y, y)));
    });
    sum_lanes(lanes, threads);
    results.push_back(gradient_of(slabs[0], m.query));
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("nothing is recorded without training, in NoGradient, or after stop_gradient") {
  Context c;
  const std::vector<double> values{1.0, 2.0};
  c.begin(Mode::kInference);
  CHECK_FALSE(exp(c, c.leaf({2}, view(values))).needs_gradient());
  CHECK(c.tape().nodes() == 0);
  c.begin(Mode::kTraining);
  const Tensor x = c.leaf({2}, view(values));
  {
    const NoGradient guard(c);
    CHECK_FALSE(exp(c, x).needs_gradient());
  }
  CHECK(c.tape().nodes() == 0);
  const Tensor y = mul(c, x, stop_gradient(c, x));
  c.backward(sum_all(c, y));
  CHECK(read(c.gradient(x)) == values);
  CHECK_MESSAGE_THROWN(c.backward(stop_gradient(c, sum_all(c, x))), "depends on nothing");
}

TEST_CASE("gradients of activations are recycled unless they are retained") {
  Context c;
  const std::vector<double> values(1000, 0.5);
  for (const bool retain : {false, true}) {
    c.begin(Mode::kTraining);
    const Tensor x = c.leaf({10, 100}, view(values));
    const Tensor h = exp(c, x);
    if (retain) c.retain(h);
    Tensor y = h;
    for (int i = 0; i < 20; ++i) y = tanh(c, y);
    c.backward(sum_all(c, y));
    // Twenty activations of 8,000 bytes never had gradients at the same time.
    CHECK(c.tape().gradient_arena().used() < 6 * 8192);
    if (retain) {
      const auto dh = read(c.gradient(h)), dx = read(c.gradient(x));
      CHECK(dx[7] == doctest::Approx(dh[7] * std::exp(0.5)));
    } else {
      CHECK_MESSAGE_THROWN(c.gradient(h), "was recycled; call retain(tensor)");
    }
  }
}

TEST_CASE("a retained gradient is what the activation received, also through reshape and add") {
  Context c;
  c.begin(Mode::kTraining);
  const std::vector<double> values{1.0, 2.0, 3.0, 4.0};
  const Tensor x = c.leaf({4}, view(values));
  const Tensor h = scale(c, x, 3.0);
  c.retain(h);
  const Tensor seen = reshape(c, h, {2, 2});
  c.backward(sum_all(c, add(c, seen, seen)));
  CHECK(read(c.gradient(h)) == std::vector<double>(4, 2.0));
  CHECK(read(c.gradient(x)) == std::vector<double>(4, 6.0));
}

TEST_CASE("use after the step, or in another context, is caught before anything is computed") {
  Context c, d;
  const std::vector<double> values{1.0, 2.0};
  c.begin(Mode::kTraining);
  d.begin(Mode::kTraining);
  const Tensor x = c.leaf({2}, view(values));
  CHECK_MESSAGE_THROWN(exp(d, x), "exp: tensor [2] belongs to another context");
  CHECK_MESSAGE_THROWN(add(d, d.leaf({2}, view(values)), x), "add: tensor [2] belongs to another");
  CHECK_MESSAGE_THROWN(reshape(d, x, {1, 2}), "reshape: tensor [2] belongs to another context");
  c.begin(Mode::kTraining);
  CHECK_MESSAGE_THROWN(exp(c, x), "exp: tensor [2] belongs to an earlier step");
  CHECK_MESSAGE_THROWN(c.gradient(x), "gradient: tensor [2] belongs to an earlier step");
}

TEST_CASE("what backward has consumed cannot be gone through again") {
  Context c;
  c.begin(Mode::kTraining);
  const std::vector<double> values{1.0, 2.0};
  const Tensor x = c.leaf({2}, view(values));
  const Tensor h = exp(c, x);
  const Tensor loss = sum_all(c, h);
  c.backward(loss);
  CHECK_MESSAGE_THROWN(c.backward(loss), "that backward has consumed; add the losses");
  CHECK_MESSAGE_THROWN(c.backward(sum_all(c, mul(c, h, h))), "that backward has consumed");
  Context d;
  CHECK_MESSAGE_THROWN(d.retain(h), "retain: tensor [2] belongs to another context");
}

TEST_CASE("memory that outlives the step is used through a view") {
  Context c;
  std::vector<double> cache{1.0, 2.0, 3.0};
  for (int step = 0; step < 2; ++step) {
    c.begin(Mode::kInference);
    const Tensor table = c.view(cache.data(), {3}, DType::kFloat64);
    CHECK(read(add(c, table, table)) == std::vector<double>{2.0, 4.0, 6.0});
    CHECK_FALSE(table.needs_gradient());
  }
  CHECK_MESSAGE_THROWN(c.view(nullptr, {3}, DType::kFloat64), "view: no memory for shape [3]");
}

TEST_CASE("the gradient of a reshaped tensor has its shape") {
  Context c;
  c.begin(Mode::kTraining);
  const std::vector<double> values{1.0, 2.0};
  const Tensor x = c.leaf({2}, view(values));
  const Tensor column = reshape(c, x, {2, 1});
  c.backward(sum_all(c, column));
  CHECK(c.gradient(column).shape == Shape{2, 1});
  CHECK(c.gradient(x).shape == Shape{2});
}

TEST_CASE("the loss must be one element that depends on something") {
  Context c;
  c.begin(Mode::kTraining);
  const std::vector<double> values{1.0, 2.0};
  const Tensor x = c.leaf({2}, view(values));
  CHECK_MESSAGE_THROWN(c.backward(x), "backward: the loss has shape [2], not one element");
  const Tensor constant = c.constant({1}, std::span<const double>(values).first(1));
  CHECK_MESSAGE_THROWN(c.backward(constant), "depends on nothing that needs a gradient");
}

TEST_CASE("objects that are kept live until the next step") {
  struct Counted {
    int* alive;
    explicit Counted(int* count) : alive(count) { ++*alive; }
    Counted(const Counted& o) : alive(o.alive) { ++*alive; }
    ~Counted() { --*alive; }
  };
  int alive = 0;
  Context c;
  c.begin(Mode::kTraining);
  const Counted& kept = c.tape().keep(Counted(&alive));
  CHECK(*kept.alive == 1);
  CHECK(alive == 1);
  c.begin(Mode::kTraining);
  CHECK(alive == 0);
}

TEST_CASE("a frozen parameter gets no gradient") {
  Model m;
  m.store.set_trainable(m.query, false);
  GradientSlab slab(m.store);
  Context c(slab);
  c.begin(Mode::kTraining);
  const Tensor y = mul(c, linear(c, input(c), c.use(m.query)), linear(c, input(c), c.use(m.key)));
  c.backward(sum_all(c, y));
  CHECK_FALSE(slab.written(m.query));
  CHECK(slab.written(m.key));
  CHECK_MESSAGE_THROWN(c.use(joined({m.query, m.key})),
                       "parameter layer.query: frozen beside one that is not (layer.key)");
}
