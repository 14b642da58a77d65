// What rotary positions are for: scores depend on distances alone, a fused projection feeds them
// and attention at once, and decoding step by step has the bits of the full pass.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/ops/ops.h"
#include "tests/support/random_values.h"
#include "tests/support/run_case.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

using Ids = std::vector<std::int32_t>;

RotaryOptions of_heads(int heads, std::int64_t head_dim) {
  RotaryOptions options;
  options.heads = heads;
  options.head_dim = head_dim;
  return options;
}

// One token at `position`, turned.
Tensor turned(Context& c, const Tensor& token, std::int32_t position) {
  const Ids first{position};
  RotaryOptions options = of_heads(1, token.shape.columns());
  options.first_positions = first;
  return rotary(c, token, packed(Ids{1}), options);
}

std::vector<double> read(const Tensor& t) {
  return {t.as<double>(), t.as<double>() + t.elements()};
}

}  // namespace

TEST_CASE("the product of a turned query and a turned key depends on their distance alone") {
  Context c;
  c.begin(Mode::kInference);
  const Tensor query = c.constant({1, 24}, view(random_values(24, 1)));
  const Tensor key = c.constant({1, 24}, view(random_values(24, 2)));
  const auto score = [&](std::int32_t p, std::int32_t q) {
    return sum_all(c, mul(c, turned(c, query, p), turned(c, key, q))).value();
  };
  CHECK(std::abs(score(0, 0) - sum_all(c, mul(c, query, key)).value()) <= 1e-14);
  for (const std::int32_t distance : {0, 1, 2, 7, 100}) {
    CAPTURE(distance);
    for (const std::int32_t shift : {1, 5, 63, 4000}) {
      CHECK(std::abs(score(shift + distance, shift) - score(distance, 0)) <= 1e-11);
      CHECK(std::abs(score(shift, shift + distance) - score(0, distance)) <= 1e-11);
    }
    if (distance == 0) continue;
    CHECK(std::abs(score(distance, 0) - score(0, 0)) > 1e-3);
    CHECK(std::abs(score(distance, 0) - score(0, distance)) > 1e-3);
  }
}

TEST_CASE_TEMPLATE("rotary step by step has the bits of the full pass", T, float, double) {
  const Ids lengths{3, 1, 40};
  const std::vector<Sequence> whole = packed(lengths);
  Context c;
  c.begin(Mode::kInference);
  const auto values = random_values<T>(44 * 23, 1);
  const Tensor x = c.constant({44, 23}, view(values));
  const RotaryOptions options = of_heads(2, 10);
  const Tensor full = rotary(c, x, whole, options);
  for (std::int32_t t = 0; t < 40; ++t) {
    CAPTURE(t);
    Ids now, first;
    std::vector<T> expected;
    for (const Sequence& s : whole) {
      if (t >= s.length) continue;
      now.push_back(s.begin + t);
      first.push_back(t);
      const T* const row = full.as<T>() + now.back() * 20;
      expected.insert(expected.end(), row, row + 20);
    }
    // One more, far away, must not touch the others.
    now.push_back(0);
    first.push_back(1000000 + t);
    RotaryOptions step = options;
    step.first_positions = first;
    const Tensor y = rotary(c, gather(c, x, 0, now), packed(Ids(now.size(), 1)), step);
    CHECK(std::equal(expected.begin(), expected.end(), y.as<T>()));
  }
}

TEST_CASE("rotary takes positions wherever they are, in memory for those that occur") {
  constexpr std::int32_t kFar = 2147483647;
  Context c;
  c.begin(Mode::kInference);
  const Tensor x = c.constant({4, 4}, view(random_values(16, 1)));
  const std::vector<Sequence> sentences = packed(Ids{2, 2});
  RotaryOptions options = of_heads(1, 4);
  for (const Ids& first : {Ids{0, 0}, Ids{kFar, kFar}, Ids{0, kFar}}) {
    options.first_positions = first;
    const std::size_t before = c.arena().used();
    const Tensor y = rotary(c, x, sentences, options);
    CHECK(c.arena().used() == before + y.bytes());
    const double angle = static_cast<double>(first[1]) + 1.0;
    const double* const in = x.as<double>() + 12;
    CHECK(std::abs(y.value(12) - (in[0] * std::cos(angle) - in[2] * std::sin(angle))) <= 1e-14);
  }
  CHECK(c.scratch().used() == 0);
  CHECK(c.scratch().peak() <= 1024);
}

TEST_CASE("rotary keeps for backward one row of angles for each position of a batch") {
  const std::vector<Sequence> sentences = packed(Ids(64, 8));
  Context c;
  c.begin(Mode::kTraining);
  const Tensor x = c.leaf({512, 32}, view(random_values(512 * 32, 1)));
  const std::size_t before = c.arena().used();
  const Tensor y = rotary(c, x, sentences, of_heads(1, 32));
  const std::size_t table = 8 * 32 * sizeof(double), rows = 512 * sizeof(std::int32_t);
  CHECK(c.arena().used() - before <= y.bytes() + table + rows + 512);
  CHECK(c.scratch().used() == 0);
  // What other operations do to the scratch memory until backward comes.
  {
    const ArenaScope scope(c.scratch());
    std::fill_n(c.scratch().allocate<double>(4096), 4096, std::nan(""));
  }
  c.backward(sum_all(c, mul(c, y, y)));
  // The length of a pair does not change: the gradient is that of x squared.
  const Tensor dx = c.gradient(x);
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    CHECK(std::abs(dx.value(i) - 2.0 * x.value(i)) <= 1e-14);
  }
}

namespace {

const std::vector<Sequence> kRotarySentences = packed(Ids{3, 1, 5});
constexpr int kRotaryHeads = 2;
constexpr std::int64_t kRotaryHeadDim = 4, kRotaryWidth = kRotaryHeads * kRotaryHeadDim;

AttentionOptions two_heads() {
  AttentionOptions options;
  options.heads = kRotaryHeads;
  options.head_dim = kRotaryHeadDim;
  options.causal = true;
  return options;
}

// Attention with turned queries and keys on one projection, whose values nobody turns.
// `other_first` records another reader of the projection before rotary, so that backward reaches
// rotary first.
Tensor attend(Context& c, const Tensor& projection, bool copied, bool other_first) {
  const auto columns = [&](const Tensor& t, std::int64_t begin, std::int64_t end) {
    return copied ? Columns{slice(c, t, 1, begin, end)} : Columns{t, begin};
  };
  const Columns value = columns(projection, 2 * kRotaryWidth, 3 * kRotaryWidth);
  const Tensor early = other_first ? attention(c, value, value, value, kRotarySentences,
                                               kRotarySentences, two_heads())
                                   : Tensor{};
  const Tensor x = copied ? slice(c, projection, 1, 0, 2 * kRotaryWidth) : projection;
  const Tensor both = rotary(c, x, kRotarySentences, of_heads(2 * kRotaryHeads, kRotaryHeadDim));
  if (other_first) return concat(c, std::array{both, early}, 1);
  return attention(c, columns(both, 0, kRotaryWidth), columns(both, kRotaryWidth, 2 * kRotaryWidth),
                   value, kRotarySentences, kRotarySentences, two_heads());
}

}  // namespace

TEST_CASE("a projection that rotary and attention read gets the sum of both gradients") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("projection", {9, 3 * kRotaryWidth}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(1);
  for (const bool other_first : {false, true}) {
    CAPTURE(other_first);
    std::vector<double> gradients[2];
    for (const bool copied : {false, true}) {
      GradientSlab slab(store);
      std::fill_n(static_cast<double*>(slab.slab()), store.elements(), std::nan(""));
      Context c(slab);
      c.begin(Mode::kTraining);
      const Tensor projection = c.use(p);
      const Tensor y = attend(c, projection, copied, other_first);
      c.tape().backward(c, y, c.constant(y.shape, view(random_values(y.elements(), 9))));
      gradients[copied] = read(c.gradient(projection));
    }
    CHECK(worst_difference(gradients[1], gradients[0]) <= 1e-13);
  }
}

TEST_CASE("a step with rotary and gated does not make the arenas grow") {
  Context c;
  const auto step = [&] {
    c.begin(Mode::kTraining);
    const auto values = random_values(9 * 3 * kRotaryWidth, 1);
    const Tensor x = c.leaf({9, 3 * kRotaryWidth}, view(values));
    const Tensor y = gated(c, attend(c, x, false, false), Activation::kSilu);
    c.backward(sum_all(c, y));
  };
  step();
  const auto used = [&] { return c.arena().used() + c.tape().gradient_arena().used(); };
  const std::size_t once = used();
  const std::int64_t growths = c.arena().growths() + c.scratch().growths();
  for (int i = 0; i < 5; ++i) step();
  CHECK(used() == once);
  CHECK(c.scratch().used() == 0);
  CHECK(c.arena().growths() + c.scratch().growths() == growths);
}
