// The schemes of initialisation by the statistics of what they draw.
#include <doctest/doctest.h>

#include <cmath>

#include "layers/transformer.h"

using namespace heddle;

namespace {

struct Statistics {
  double mean = 0.0, deviation = 0.0, largest = 0.0;
};

class FreshModel {
 public:
  explicit FreshModel(const std::string& scheme)
      : document_(ConfigDocument::parse(
            R"({"d_model": 64, "heads": 4, "kv_heads": 2, "d_ff": 256, "layers": 4, "gated": true,
                "tie": "target_output", "positions": "learned", "output_bias": true,
                "initialisation": )" +
                scheme + "}",
            "test.json")),
        transformer_(Scope(store_), document_.root(), {{1000}, {1000}}) {
    document_.finish();
    store_.allocate();
    store_.initialise(7);
  }

  Statistics of(const std::string& name) const {
    const Parameter p = store_.find(name);
    const auto* values = static_cast<const float*>(store_.data(p));
    const auto count = p.shape().elements();
    Statistics s;
    for (std::int64_t i = 0; i < count; ++i) {
      const double x = values[i];
      s.mean += x / static_cast<double>(count);
      s.deviation += x * x / static_cast<double>(count);
      s.largest = std::max(s.largest, std::abs(x));
    }
    s.deviation = std::sqrt(s.deviation - s.mean * s.mean);
    return s;
  }

  const ParameterStore& store() const { return store_; }

 private:
  ConfigDocument document_;
  ParameterStore store_{DType::kFloat32};
  Transformer transformer_;
};

// A matrix [out, in] of several thousand draws: within 5 % of the deviation.
void check_uniform(const FreshModel& m, const std::string& name, double in, double out,
                   double depth_factor = 1.0) {
  CAPTURE(name);
  const double bound = std::sqrt(6.0 / (in + out)) * depth_factor;
  const Statistics s = m.of(name);
  CHECK(s.largest <= bound * (1 + 1e-6));
  CHECK(s.largest > 0.99 * bound);
  CHECK(s.deviation == doctest::Approx(bound / std::sqrt(3.0)).epsilon(0.05));
  CHECK(std::abs(s.mean) < 0.1 * bound);
}

void check_normal(const FreshModel& m, const std::string& name, double deviation) {
  CAPTURE(name);
  const Statistics s = m.of(name);
  CHECK(s.deviation == doctest::Approx(deviation).epsilon(0.05));
  CHECK(s.largest > 2.8 * deviation);
  CHECK(s.largest < 6 * deviation);
  CHECK(std::abs(s.mean) < 0.1 * deviation);
}

void check_biases_and_gains(const FreshModel& m) {
  int biases = 0, gains = 0;
  for (const ParameterStore::Entry& entry : m.store().entries()) {
    CAPTURE(entry.name);
    const bool gain = entry.name.ends_with(".gain");
    if (!gain && !entry.name.ends_with(".bias")) continue;
    ++(gain ? gains : biases);
    CHECK(m.of(entry.name).mean == (gain ? 1.0 : 0.0));
    CHECK(m.of(entry.name).deviation == 0.0);
  }
  CHECK(gains == 4 * 2 + 4 * 3);
  CHECK(biases == 4 * (4 + 3) + 4 * (8 + 3) + gains + 1);
}

}  // namespace

TEST_CASE("initialisation: xavier_uniform, as in the paper's code") {
  const FreshModel m(R"("xavier_uniform")");
  check_uniform(m, "encoder.layers.0.self_attention.query.weight", 64, 64);
  check_uniform(m, "encoder.layers.3.self_attention.key.weight", 64, 32);
  check_uniform(m, "decoder.layers.2.cross_attention.value.weight", 64, 32);
  check_uniform(m, "decoder.layers.1.self_attention.output.weight", 64, 64);
  check_uniform(m, "encoder.layers.2.feed_forward.gate.weight", 64, 256);
  check_uniform(m, "decoder.layers.3.feed_forward.hidden.weight", 64, 256);
  check_uniform(m, "decoder.layers.3.feed_forward.output.weight", 256, 64);
  check_normal(m, "source_embedding.weight", 1 / std::sqrt(64.0));
  check_normal(m, "target_embedding.weight", 1 / std::sqrt(64.0));
  check_normal(m, "encoder.positions.weight", 1 / std::sqrt(64.0));
  check_biases_and_gains(m);
}

TEST_CASE("initialisation: normal with a standard deviation") {
  const FreshModel standard(R"("normal")");
  check_normal(standard, "encoder.layers.0.self_attention.query.weight", 0.02);
  check_normal(standard, "source_embedding.weight", 0.02);
  const FreshModel m(R"("normal", "init_std": 0.5)");
  check_normal(m, "decoder.layers.3.feed_forward.output.weight", 0.5);
  check_normal(m, "decoder.layers.1.cross_attention.key.weight", 0.5);
  check_normal(m, "decoder.positions.weight", 0.5);
  check_biases_and_gains(m);
}

TEST_CASE("initialisation: depth_scaled shrinks with the layer, in encoder and decoder") {
  const FreshModel m(R"("depth_scaled")");
  for (int layer = 0; layer < 4; ++layer) {
    const double factor = 1 / std::sqrt(layer + 1.0);
    const std::string place = "coder.layers." + std::to_string(layer);
    check_uniform(m, "en" + place + ".self_attention.query.weight", 64, 64, factor);
    check_uniform(m, "de" + place + ".cross_attention.output.weight", 64, 64, factor);
    check_uniform(m, "de" + place + ".feed_forward.output.weight", 256, 64, factor);
    check_uniform(m, "en" + place + ".feed_forward.gate.weight", 64, 256, factor);
    check_uniform(m, "de" + place + ".feed_forward.hidden.weight", 64, 256, factor);
  }
  check_normal(m, "target_embedding.weight", 1 / std::sqrt(64.0));
  check_biases_and_gains(m);
}

TEST_CASE("initialisation: a seed gives the same model, another one another") {
  const FreshModel a(R"("xavier_uniform")"), b(R"("xavier_uniform")");
  const auto* x = static_cast<const float*>(a.store().slab());
  const auto* y = static_cast<const float*>(b.store().slab());
  CHECK(std::equal(x, x + a.store().elements(), y));
  // Each parameter draws numbers of its own.
  CHECK(a.of("encoder.layers.0.self_attention.query.weight").mean !=
        a.of("encoder.layers.1.self_attention.query.weight").mean);
}
