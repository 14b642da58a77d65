// A training step of a small encoder-decoder, built from the operations: once it has run, running
// it again allocates nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "autograd/base/parallel.h"
#include "autograd/gradcheck.h"
#include "autograd/ops/ops.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/compare.h"
#include "tests/support/random_values.h"

using namespace heddle;

namespace {

constexpr std::int64_t kModel = 32, kFeedForward = 64;
constexpr std::int32_t kVocabulary = 50;
constexpr int kHeads = 4;
constexpr double kDropout = 0.1;

struct Norm {
  Parameter gain, bias;
  explicit Norm(const Scope& s)
      : gain(s.declare("gain", {kModel}, Initialiser::constant(1.0))),
        bias(s.declare("bias", {kModel}, {})) {}
};

struct Linear {
  Parameter weight, bias;
  Linear(const Scope& s, std::int64_t in, std::int64_t out)
      : weight(s.declare("weight", {out, in}, Initialiser::xavier_uniform(in, out))),
        bias(s.declare("bias", {out}, {})) {}
  Tensor operator()(Context& c, const Tensor& x, Activation activation = Activation::kNone) const {
    return linear(c, x, c.use(weight), c.use(bias), activation);
  }
};

struct Block {
  Linear query_key_value, output, first, second;
  Norm after_attention, after_feed_forward;
  explicit Block(const Scope& s)
      : query_key_value(s / "qkv", kModel, 3 * kModel),
        output(s / "output", kModel, kModel),
        first(s / "first", kModel, kFeedForward),
        second(s / "second", kFeedForward, kModel),
        after_attention(s / "norm1"),
        after_feed_forward(s / "norm2") {}

  Tensor operator()(Context& c, const Tensor& x, const Tensor& memory, Sequences own,
                    Sequences other) const {
    const Tensor qkv = query_key_value(c, x);
    AttentionOptions options;
    options.heads = kHeads;
    options.head_dim = kModel / kHeads;
    options.dropout = kDropout;
    options.causal = memory.data == nullptr;
    // With a memory, its own columns serve as keys and values.
    const Columns key = memory.data != nullptr ? Columns{memory, 0} : Columns{qkv, kModel};
    const Columns value = memory.data != nullptr ? Columns{memory, 0} : Columns{qkv, 2 * kModel};
    const Tensor heads = attention(c, {qkv, 0}, key, value, own, other, options);
    const Tensor h = normed(c, x, output(c, heads), after_attention);
    return normed(c, h, second(c, dropout(c, first(c, h, Activation::kGelu), kDropout)),
                  after_feed_forward);
  }

  static Tensor normed(Context& c, const Tensor& x, const Tensor& delta, const Norm& norm) {
    return residual_norm(c, x, delta, c.use(norm.gain), c.use(norm.bias), kDropout, 1e-5).normed;
  }
};

struct Batch {
  std::vector<Sequence> source, target;
  std::vector<std::int32_t> source_ids, target_ids, labels;
  std::vector<double> weights;

  explicit Batch(std::int32_t seed) {
    const std::vector<std::int32_t> source_lengths{5, 1, 9 + seed}, target_lengths{4, 2, 11 - seed};
    source = packed(source_lengths);
    target = packed(target_lengths);
    const auto ids = [&](Sequences s, std::int32_t step) {
      std::vector<std::int32_t> result;
      for (std::int32_t i = 0; i < total_length(s); ++i) result.push_back(i * step % kVocabulary);
      return result;
    };
    source_ids = ids(source, 7);
    target_ids = ids(target, 11);
    labels = ids(target, 13);
    weights.assign(labels.size(), 1.0 / static_cast<double>(labels.size()));
  }
};

struct Model {
  ParameterStore store;
  Parameter table;
  Block encoder, decoder;

  explicit Model(DType dtype)
      : store(dtype),
        table(store.declare("embedding", {kVocabulary, kModel}, Initialiser::normal(0.1))),
        encoder(Scope(store, "encoder")),
        decoder(Scope(store, "decoder")) {
    store.allocate();
    store.initialise(1);
  }

  Tensor loss(Context& c, const Batch& batch) const {
    const Tensor positions = sinusoidal_positions(c, 32, kModel, store.dtype());
    EmbedOptions options;
    options.scale = std::sqrt(static_cast<double>(kModel));
    options.dropout = kDropout;
    const Tensor weights = c.use(table);
    Tensor x = embed(c, weights, positions, batch.source_ids, batch.source, options);
    x = encoder(c, x, {}, batch.source, batch.source);
    Tensor y = embed(c, weights, positions, batch.target_ids, batch.target, options);
    y = decoder(c, y, x, batch.target, batch.source);
    return cross_entropy(c, y, weights, {}, batch.labels, batch.weights, {0.1, 0});
  }
};

}  // namespace

TEST_CASE("a steady training step allocates nothing and its arenas do not grow") {
  const Model model(DType::kFloat32);
  GradientSlab slab(model.store), other(model.store);
  GradientSlab* const lanes[] = {&slab, &other};
  Context first(slab), second(other);
  Context* const contexts[] = {&first, &second};
  const std::vector<Batch> batches{Batch(0), Batch(1), Batch(2)};
  std::uint64_t update = 0;
  const std::function<void(int)> run_lane = [&](int lane) {
    Context& context = *contexts[lane];
    for (const Batch& batch : batches) {
      context.begin(Mode::kTraining,
                    {.seed = 1, .update = update, .lane = static_cast<std::uint32_t>(lane)});
      context.backward(model.loss(context, batch));
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
  const auto growths = [&] {
    std::int64_t sum = 0;
    for (Context* context : contexts) {
      sum += context->arena().growths() + context->scratch().growths() +
             context->tape().gradient_arena().growths();
    }
    return sum;
  };
  step();
  step();
  const std::int64_t allocated = testing::allocations();
  const std::int64_t grown = growths();
  double norm = 0.0;
  for (int i = 0; i < 5; ++i) norm = step();
  CHECK(testing::allocations() == allocated);
  CHECK(growths() == grown);
  CHECK(std::isfinite(norm));
  CHECK(norm > 0.0);
  CHECK(first.scratch().used() == 0);
  const std::vector<int> counted(3);  // the counter does count
  CHECK(testing::allocations() > allocated);
}

TEST_CASE("a whole encoder-decoder passes the gradient check, dropout on") {
  Model model(DType::kFloat64);
  const Batch batch(1);
  GradcheckOptions options;
  options.most_coordinates = 60;
  const GradcheckReport report = gradcheck(
      "encoder-decoder", model.store, [&](Context& c) { return model.loss(c, batch); }, options);
  CHECK_MESSAGE(report.passed(), report.message());
  CHECK(report.checked > 700);
}

TEST_CASE("lanes and micro-batches give the gradients of one whole batch") {
  // Row weights are 1 / (all target tokens), known before the first part runs.
  ParameterStore store(DType::kFloat64);
  const Parameter table = store.declare("table", {kVocabulary, 8}, Initialiser::normal(0.5));
  const Parameter weight = store.declare("weight", {8, 8}, Initialiser::normal(0.5));
  store.allocate();
  store.initialise(2);
  std::vector<std::int32_t> ids, labels;
  for (std::int32_t i = 0; i < 24; ++i) {
    ids.push_back(i * 7 % kVocabulary);
    labels.push_back(i * 11 % kVocabulary);
  }
  const std::vector<double> weights(24, 1.0 / 24);
  // Rows [begin, end) as one sentence, into one slab.
  const auto part = [&](GradientSlab& slab, std::size_t begin, std::size_t end) {
    Context c(slab);
    c.begin(Mode::kTraining);
    const std::vector<Sequence> one{{0, static_cast<std::int32_t>(end - begin)}};
    const auto cut = [&](const auto& all) { return std::span(all).subspan(begin, end - begin); };
    const Tensor x = embed(c, c.use(table), {}, cut(ids), one);
    const Tensor h = linear(c, x, c.use(weight), {}, Activation::kSilu);
    c.backward(cross_entropy(c, h, c.use(table), {}, cut(labels), cut(weights), {0.1, 0}));
  };
  const auto gradients = [&](int lane_count, std::size_t micro_batches) {
    std::vector<GradientSlab> slabs;
    std::vector<GradientSlab*> lanes;
    for (int i = 0; i < lane_count; ++i) slabs.emplace_back(store);
    for (GradientSlab& slab : slabs) lanes.push_back(&slab);
    const std::size_t parts = static_cast<std::size_t>(lane_count) * micro_batches;
    for (std::size_t i = 0; i < parts; ++i) {
      part(*lanes[i % lanes.size()], 24 * i / parts, 24 * (i + 1) / parts);
    }
    sum_lanes(lanes, 2);
    const auto* values = static_cast<const double*>(slabs[0].slab());
    return std::vector<double>(values, values + store.elements());
  };
  const std::vector<double> whole = gradients(1, 1);
  for (const int lane_count : {1, 2, 3}) {
    for (const std::size_t micro_batches : {std::size_t{1}, std::size_t{4}}) {
      const std::vector<double> cut = gradients(lane_count, micro_batches);
      double largest = 0.0;
      for (const double g : whole) largest = std::max(largest, std::abs(g));
      CHECK(testing::worst_error(whole, cut) <= 1e-12 * largest);
    }
  }
}
