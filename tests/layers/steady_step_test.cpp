// A training step, once it has run, allocates nothing when it runs again; neither does decoding.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "autograd/base/parallel.h"
#include "autograd/numeric_guard.h"
#include "layers/model_check.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/models.h"

using namespace heddle;
using heddle::testing::allocations;
using heddle::testing::json_object;
using heddle::testing::Sentences;
using heddle::testing::TestModel;

namespace {

const Vocabulary kFiftyIds{50};
const std::string kSmall = R"("d_model": 32, "heads": 4, "d_ff": 64, "layers": 2,
                              "attention_dropout": 0.1, "activation_dropout": 0.1)";
const std::vector<std::string> kModels = {
    R"("norm_order": "post")",
    R"("norm_order": "pre", "positions": "rotary", "gated": true, "kv_heads": 2)"};

RandomExamples batch(std::int32_t seed) {
  const std::vector<std::int32_t> source{5, 1, 9 + seed}, target{4, 2, 11 - seed};
  return {{kFiftyIds, kFiftyIds}, source, target, static_cast<std::uint64_t>(seed)};
}

std::int64_t growths(Context& context) {
  return context.arena().growths() + context.scratch().growths() +
         context.tape().gradient_arena().growths();
}

}  // namespace

TEST_CASE("a steady training step of two lanes allocates nothing, and its arenas do not grow") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kSmall, kind), DType::kFloat32, {kFiftyIds, kFiftyIds});
    GradientSlab slab(m.store), other(m.store);
    GradientSlab* const lanes[] = {&slab, &other};
    Context first(slab), second(other);
    Context* const contexts[] = {&first, &second};
    const RandomExamples batches[] = {batch(0), batch(1), batch(2)};
    std::uint64_t update = 0;
    const std::function<void(int)> run_lane = [&](int lane) {
      Context& c = *contexts[lane];
      for (const RandomExamples& b : batches) {
        c.begin(Mode::kTraining,
                {.seed = 1, .update = update, .lane = static_cast<std::uint32_t>(lane)});
        c.backward(m.transformer.loss(c, b.examples(), b.row_weights(), 0.1));
      }
    };
    const auto step = [&] {
      ++update;
      run_lanes(2, 2, 1, run_lane);
      sum_lanes(lanes, 1);
      const double norm = gradient_norm(slab, 1);
      slab.reset();
      return norm;
    };
    step();
    step();
    const std::int64_t allocated = allocations();
    const std::int64_t grown = growths(first) + growths(second);
    double norm = 0.0;
    for (int i = 0; i < 5; ++i) norm = step();
    CHECK(allocations() == allocated);
    CHECK(growths(first) + growths(second) == grown);
    CHECK(std::isfinite(norm));
    CHECK(norm > 0.0);
    CHECK(first.scratch().used() == 0);
    const std::vector<int> counted(3);  // the counter does count
    CHECK(allocations() > allocated);
  }
}

TEST_CASE("decoding with a warm cache allocates nothing") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kSmall, kind), DType::kFloat32, {kFiftyIds, kFiftyIds});
    const Sentences source({5, 1, 9}, kFiftyIds, 1);
    const std::vector<std::int32_t> ids(6, 3), widen{0, 0, 1, 1, 2, 2}, swap{1, 0, 2, 3, 4, 4};
    std::vector<Sequence> one_each;
    for (std::int32_t i = 0; i < 6; ++i) one_each.push_back({i, 1});
    Context c;
    DecoderCache cache;
    const auto translate = [&] {
      c.begin(Mode::kInference);
      m.transformer.begin_decoding(c, source.tokens(), cache);
      cache.select(widen);
      double last = 0.0;
      for (int t = 0; t < 40; ++t) {
        c.begin(Mode::kInference);
        const Tensor states = m.transformer.decode(c, {ids, one_each}, cache);
        last = m.transformer.logits(c, states).value();
        cache.select(swap);
      }
      return last;
    };
    const double before = translate();
    translate();
    const std::int64_t allocated = allocations();
    const std::int64_t grown = growths(c);
    CHECK(translate() == before);
    CHECK(allocations() == allocated);
    CHECK(growths(c) == grown);
  }
}
