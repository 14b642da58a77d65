// The parameters of a model: their names, what tying shares, and the way to a file and back.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/parameter_file.h"
#include "tests/support/models.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::json_object;
using heddle::testing::kOneLayer;
using heddle::testing::Sentences;
using heddle::testing::TemporaryFolder;
using heddle::testing::TestModel;

namespace {

std::vector<std::string> names_of(const TestModel& m) {
  std::vector<std::string> names;
  for (const ParameterStore::Entry& entry : m.store.entries()) names.push_back(entry.name);
  return names;
}

std::vector<std::string> tables_of(const std::string& tie) {
  const TestModel m(json_object(kOneLayer, "\"tie\": \"" + tie + "\""));
  std::vector<std::string> names = names_of(m);
  std::erase_if(names, [](const std::string& name) { return name.find("layers") != name.npos; });
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("parameters: the paper's model by name") {
  const TestModel m(json_object(kOneLayer));
  Names expected = {"embedding.weight"};
  const auto add = [&](const std::string& place, const Names& parts) {
    for (const std::string& part : parts) expected.push_back(place + part);
  };
  const Names attention = {"query.weight", "key.weight", "value.weight",  "query.bias",
                           "key.bias",     "value.bias", "output.weight", "output.bias"};
  const Names cross = {"query.weight", "query.bias", "key.weight",    "value.weight",
                       "key.bias",     "value.bias", "output.weight", "output.bias"};
  const Names feed_forward = {"hidden.weight", "hidden.bias", "output.weight", "output.bias"};
  const Names norm = {"gain", "bias"};
  add("encoder.layers.0.self_attention.", attention);
  add("encoder.layers.0.self_attention_norm.", norm);
  add("encoder.layers.0.feed_forward.", feed_forward);
  add("encoder.layers.0.feed_forward_norm.", norm);
  add("decoder.layers.0.self_attention.", attention);
  add("decoder.layers.0.self_attention_norm.", norm);
  add("decoder.layers.0.cross_attention.", cross);
  add("decoder.layers.0.cross_attention_norm.", norm);
  add("decoder.layers.0.feed_forward.", feed_forward);
  add("decoder.layers.0.feed_forward_norm.", norm);
  CHECK(names_of(m) == expected);
  CHECK(m.store.find("embedding.weight").shape() == Shape{11, 8});
  CHECK(m.store.find("encoder.layers.0.feed_forward.hidden.weight").shape() == Shape{12, 8});
}

TEST_CASE("parameters: what tying shares") {
  CHECK(tables_of("all") == Names{"embedding.weight"});
  CHECK(tables_of("source_target") == Names{"embedding.weight", "output.weight"});
  CHECK(tables_of("target_output") == Names{"source_embedding.weight", "target_embedding.weight"});
  CHECK(tables_of("none") ==
        Names{"source_embedding.weight", "target_embedding.weight", "output.weight"});
}

TEST_CASE("parameters: options add theirs, blocks name repeated sublayers") {
  const TestModel m(json_object(R"("d_model": 8, "d_ff": 12, "layers": 1)",
                                R"("norm_order": "pre", "norm": "rms_norm", "positions": "learned",
                 "max_positions": 9, "output_bias": true, "heads": 4, "kv_heads": 2,
                 "encoder": {"gated": true, "block": [{"type": "feed_forward"},
                             {"type": "self_attention"}, {"type": "feed_forward", "d_ff": 5}]})"));
  const Names names = names_of(m);
  const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  CHECK(has("encoder.positions.weight"));
  CHECK(has("decoder.positions.weight"));
  CHECK(has("encoder.norm.gain"));
  CHECK_FALSE(has("encoder.norm.bias"));
  CHECK(has("decoder.norm.gain"));
  CHECK(has("output.bias"));
  CHECK(has("encoder.layers.0.feed_forward.gate.bias"));
  CHECK_FALSE(has("decoder.layers.0.feed_forward.gate.bias"));
  CHECK(m.store.find("encoder.layers.0.feed_forward_2.gate.weight").shape() == Shape{5, 8});
  CHECK(m.store.find("encoder.layers.0.self_attention.key.weight").shape() == Shape{4, 8});
  CHECK(m.store.find("encoder.positions.weight").shape() == Shape{9, 8});
  CHECK(m.store.find("output.bias").shape() == Shape{11});
}

TEST_CASE("parameters: a file gives them back bit for bit, and the same results") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const TestModel m(json_object(kOneLayer), DType::kFloat32);
  save_parameters(path, m.store);
  const ConfigDocument document = ConfigDocument::parse(json_object(kOneLayer), "test.json");
  ParameterStore store(DType::kFloat32);
  const Transformer loaded(Scope(store), document.root(), {{11}, {11}});
  load_parameters(path, store);
  REQUIRE(store.elements() == m.store.elements());
  CHECK(std::memcmp(store.slab(), m.store.slab(),
                    static_cast<std::size_t>(store.elements()) * sizeof(float)) == 0);
  const Sentences source({4, 3}, {11}, 1);
  Context a, b;
  a.begin(Mode::kInference);
  b.begin(Mode::kInference);
  const Tensor x = m.transformer.encode(a, source.tokens()).states;
  const Tensor y = loaded.encode(b, source.tokens()).states;
  CHECK(std::memcmp(x.data, y.data, x.bytes()) == 0);
}

TEST_CASE("parameters: a file of another model names all that differs") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  save_parameters(path, TestModel(json_object(kOneLayer)).store);
  TestModel other(
      json_object(R"("d_model": 8, "heads": 2, "d_ff": 10, "layers": 1, "tie": "source_target")"));
  ParameterStore store(DType::kFloat64);
  const Transformer transformer(
      Scope(store),
      ConfigDocument::parse(R"({"d_model": 8, "heads": 2, "d_ff": 10, "layers": 1,
                                "tie": "target_output"})",
                            "test.json")
          .root(),
      {{11}, {11}});
  CHECK_MESSAGE_THROWN(load_parameters(path, store),
                       "missing source_embedding.weight, target_embedding.weight; unexpected "
                       "embedding.weight; of another kind "
                       "encoder.layers.0.feed_forward.hidden.weight: [12, 8] in the file, [10, 8] "
                       "in the model, encoder.layers.0.feed_forward.hidden.bias: [12] in the file");
}

TEST_CASE("vocabulary: nothing reads the row of padding and start, whatever is tied") {
  for (const char* tie : {"all", "source_target", "target_output", "none"}) {
    CAPTURE(tie);
    TestModel m(json_object(
        kOneLayer, std::string(R"("output_bias": true, "dropout": 0, "tie": ")") + tie + "\""));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Names poisoned;
    for (const ParameterStore::Entry& entry : m.store.entries()) {
      if (entry.shape[0] != 11) continue;
      auto* const values = static_cast<double*>(m.store.slab()) + entry.offset;
      const auto columns = entry.shape.elements() / 11;
      std::fill_n(values + 10 * columns, columns, nan);
      poisoned.push_back(entry.name);
    }
    CHECK(poisoned.size() >= 2);
    const Sentences source({4, 3}, {11}, 1), target({3, 5}, {11}, 2);
    const Sentences input = target.shifted({11});
    const std::vector<double> weights(8, 1.0 / 8);
    GradientSlab gradients(m.store);
    Context c(gradients);
    c.begin(Mode::kTraining);
    const Tensor loss =
        m.transformer.loss(c, {source.tokens(), input.tokens(), target.ids}, weights, 0.1);
    CHECK(std::isfinite(loss.value()));
    c.backward(loss);
    for (const ParameterStore::Entry& entry : m.store.entries()) {
      CAPTURE(entry.name);
      const auto* values = static_cast<const double*>(gradients.data(m.store.find(entry.name)));
      const bool finite = std::all_of(values, values + entry.shape.elements(),
                                      [](double g) { return std::isfinite(g); });
      CHECK(finite);
      if (std::ranges::find(poisoned, entry.name) == poisoned.end()) continue;
      const auto columns = entry.shape.elements() / 11;
      CHECK(std::all_of(values + 10 * columns, values + 11 * columns,
                        [](double g) { return g == 0.0; }));
    }
    c.begin(Mode::kInference);
    DecoderCache cache;
    m.transformer.begin_decoding(c, source.tokens(), cache);
    Sentences start;
    start.append({10});
    start.append({10});
    const Tensor logits = m.transformer.logits(c, m.transformer.decode(c, start.tokens(), cache));
    CHECK(logits.shape == Shape{2, 10});
    for (std::int64_t i = 0; i < logits.elements(); ++i) CHECK(std::isfinite(logits.value(i)));
  }
}

TEST_CASE("vocabulary: the last id is start and padding, and no class") {
  const Vocabulary vocabulary{100};
  CHECK(Vocabulary::kEnd == 0);
  CHECK(Vocabulary::kUnknown == 1);
  CHECK(vocabulary.start() == 99);
  CHECK(vocabulary.padding() == 99);
  CHECK(vocabulary.classes() == 99);
}
