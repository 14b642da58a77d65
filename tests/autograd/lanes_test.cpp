// A batch that is cut into lanes and micro-batches gives the gradients of the whole.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/ops.h"
#include "tests/support/compare.h"

using namespace heddle;

TEST_CASE("lanes and micro-batches give the gradients of one whole batch") {
  // Row weights are 1 / (all target tokens), known before the first part runs.
  constexpr std::int32_t kWords = 50;
  ParameterStore store(DType::kFloat64);
  const Parameter table = store.declare("table", {kWords, 8}, Initialiser::normal(0.5));
  const Parameter weight = store.declare("weight", {8, 8}, Initialiser::normal(0.5));
  store.allocate();
  store.initialise(2);
  std::vector<std::int32_t> ids, labels;
  for (std::int32_t i = 0; i < 24; ++i) {
    ids.push_back(i * 7 % kWords);
    labels.push_back(i * 11 % kWords);
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
