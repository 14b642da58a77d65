// Options reach the operations that they are for: models whose parts are known, against formulas.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "autograd/ops/ops.h"
#include "layers/feed_forward.h"
#include "layers/layer_norm.h"
#include "layers/model_check.h"
#include "tests/support/models.h"

using namespace heddle;
using heddle::testing::doubles;
using heddle::testing::json_object;
using heddle::testing::kOneLayer;
using heddle::testing::kVocabulary;
using heddle::testing::Sentences;
using heddle::testing::TestModel;

namespace {

std::vector<double> encoded(const std::string& options, const Sentences& source,
                            Mode mode = Mode::kInference) {
  const TestModel m(json_object(kOneLayer, options));
  Context c;
  c.begin(mode, {.seed = 3});
  return doubles(m.transformer.encode(c, source.tokens()).states);
}

std::vector<double> encoded(const std::string& options) {
  return encoded(options, Sentences({4, 3, 6}, kVocabulary, 1));
}

/// A layer made from a config, with parameters of 1 for gains and 0 for biases.
template <class Layer, class... Arguments>
std::vector<double> applied(const std::string& config, const std::vector<double>& x, Mode mode,
                            const Arguments&... arguments) {
  const ConfigDocument document = ConfigDocument::parse(config, "test.json");
  ParameterStore store(DType::kFloat64);
  const Layer layer(Scope(store), document.root(), 4, arguments...);
  store.allocate();
  store.initialise(1);
  Context c;
  c.begin(mode, {.seed = 5});
  const auto rows = static_cast<std::int64_t>(x.size() / 4);
  return doubles(layer(c, c.constant({rows, 4}, std::span<const double>(x))));
}

}  // namespace

TEST_CASE("options: eps of each norm") {
  const std::vector<double> x = {1e-3, -2e-3, 3e-3, 1e-3};
  const double square = (1e-6 + 4e-6 + 9e-6 + 1e-6) / 4;
  for (const auto& [config, eps] : {std::pair(R"({"norm": "rms_norm"})", 1e-6),
                                    std::pair(R"({"norm": "rms_norm", "norm_eps": 0.5})", 0.5)}) {
    const std::vector<double> y = applied<Norm>(config, x, Mode::kInference);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(y[i] == doctest::Approx(x[i] / std::sqrt(square + eps)).epsilon(1e-12));
    }
  }
  const double mean = 0.75e-3, variance = square - mean * mean;
  for (const auto& [config, eps] :
       {std::pair("{}", 1e-5), std::pair(R"({"norm_eps": 0.5})", 0.5)}) {
    const std::vector<double> y = applied<Norm>(config, x, Mode::kInference);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(y[i] == doctest::Approx((x[i] - mean) / std::sqrt(variance + eps)).epsilon(1e-12));
    }
  }
}

TEST_CASE("options: the base of rotary positions") {
  const std::vector<double> standard = encoded(R"("positions": "rotary")");
  CHECK(encoded(R"("positions": "rotary", "rotary_base": 10000)") == standard);
  CHECK(encoded(R"("positions": "rotary", "rotary_base": 100)") != standard);
}

TEST_CASE("options: a key of an alternative that is not chosen is known and does nothing") {
  const std::vector<double> plain = encoded("");
  CHECK(encoded(R"("max_positions": 3, "init_std": 5, "rotary_base": 2)") == plain);
}

TEST_CASE("options: the rate of activation dropout is the config's") {
  // Biases are 0: a row of the output is zero where its only hidden value is dropped.
  const std::vector<double> x(4 * 4000, 1.0);
  const auto dropped = [&](const std::string& rate) {
    const std::vector<double> y = applied<FeedForward>(
        R"({"d_ff": 1, "activation": "silu", "initialisation": "normal", "activation_dropout": )" +
            rate + "}",
        x, Mode::kTraining, 1);
    std::size_t zeros = 0;
    for (std::size_t row = 0; row < 4000; ++row) zeros += y[4 * row] == 0.0 ? 1 : 0;
    return static_cast<double>(zeros) / 4000;
  };
  const double none = dropped("0");
  REQUIRE(none == 0.0);
  CHECK(dropped("0.2") == doctest::Approx(0.2).epsilon(0.15));
  CHECK(dropped("0.7") == doctest::Approx(0.7).epsilon(0.05));
}

TEST_CASE("options: the rate of embedding dropout is the config's") {
  const std::vector<std::int32_t> ids(3000, 5);
  const std::vector<Sequence> one = {{0, 3000}};
  const ConfigDocument document = ConfigDocument::parse(
      R"({"positions": "rotary", "dropout": 0, "embedding_dropout": 0.2})", "test.json");
  ParameterStore store(DType::kFloat64);
  const Scope scope(store);
  const Parameter table = scope.declare("table", {11, 4}, Initialiser::constant(1.0));
  const Embedding embedding(scope, document.root(), table, kVocabulary, 4);
  store.allocate();
  store.initialise(1);
  Context c;
  c.begin(Mode::kTraining, {.seed = 1});
  const std::vector<double> y = doubles(embedding(c, ids, one));
  const auto zeros = static_cast<double>(std::count(y.begin(), y.end(), 0.0));
  CHECK(zeros / static_cast<double>(y.size()) == doctest::Approx(0.2).epsilon(0.05));
  CHECK(*std::max_element(y.begin(), y.end()) == doctest::Approx(2.0 / 0.8).epsilon(1e-4));
}

TEST_CASE("options: different vocabularies cannot be tied") {
  const ConfigDocument document = ConfigDocument::parse(json_object(kOneLayer), "test.json");
  ParameterStore store(DType::kFloat32);
  const Transformer transformer(Scope(store), document.root(), {{13}, {9}});
  CHECK_THROWS_WITH_AS(document.finish(),
                       "test.json:1:1: tie: source and target have vocabularies of their "
                       "own; take \"target_output\" or \"none\", or one tokenizer for both",
                       ConfigError);
}

TEST_CASE("options: sublayers of one type are numbered") {
  const TestModel m(json_object(kOneLayer, R"("encoder": {"block": [{"type": "feed_forward"},
      {"type": "feed_forward"}, {"type": "self_attention"}, {"type": "feed_forward"}]})"));
  CHECK(m.transformer.encoder().sublayers() ==
        std::vector<std::string>{"encoder.layers.0.feed_forward", "encoder.layers.0.feed_forward_2",
                                 "encoder.layers.0.self_attention",
                                 "encoder.layers.0.feed_forward_3"});
}

TEST_CASE("options: sinusoids grow for all lanes at once, and nobody's table goes away") {
  const TestModel m(json_object(kOneLayer));
  std::vector<std::vector<double>> results(4);
  const auto run = [&](std::size_t i) {
    Context c;
    for (std::int32_t length = 100; length < 3000; length += 300) {
      const Sentences source({static_cast<std::int32_t>(i) + length}, kVocabulary, i);
      c.begin(Mode::kInference);
      results[i] = doubles(m.transformer.encode(c, source.tokens()).states);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::vector<double>> together = results;
  for (std::size_t i = 0; i < 4; ++i) {
    run(i);
    CHECK(results[i] == together[i]);
  }
}

TEST_CASE(
    "options: the model under check has no zero biases, and smooths labels as training does") {
  const ConfigDocument document =
      ConfigDocument::parse(json_object(kOneLayer, R"("dropout": 0)"), "test.json");
  const std::vector<std::int32_t> source{3, 2}, target{2, 4};
  ModelUnderCheck model(document.root(), {kVocabulary, kVocabulary}, source, target);
  const Parameter bias = model.store().find("encoder.layers.0.feed_forward.hidden.bias");
  const auto* values = static_cast<const double*>(model.store().data(bias));
  for (int i = 0; i < 12; ++i) CHECK(values[i] != 0.0);
  ParameterStore store(DType::kFloat64);
  const Transformer transformer(Scope(store), document.root(), {kVocabulary, kVocabulary});
  store.allocate();
  std::copy_n(static_cast<const double*>(model.store().slab()), store.elements(),
              static_cast<double*>(store.slab()));
  const RandomExamples examples({kVocabulary, kVocabulary}, source, target, 1);
  Context a, b;
  a.begin(Mode::kInference);
  b.begin(Mode::kInference);
  CHECK(model(a).value() ==
        transformer.loss(b, examples.examples(), examples.row_weights(), 0.1).value());
}
