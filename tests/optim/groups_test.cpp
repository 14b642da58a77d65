// Which parameter gets which learning rate and decay, what stays frozen, and every wrong group.
#include "optim/groups.h"

#include <doctest/doctest.h>

#include "configs/schema.h"
#include "tests/support/json_schema.h"
#include "tests/support/models.h"
#include "tests/support/optimizers.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::NamedShape;
using heddle::testing::OptimizedStore;
using heddle::testing::schema_violation;

namespace {

const std::vector<NamedShape> kParameters = {{"encoder.weight", {3, 4}}, {"encoder.bias", {3}},
                                             {"decoder.weight", {4, 5}}, {"decoder.bias", {4}},
                                             {"decoder.norm.gain", {9}}, {"scale", Shape{}}};

ParameterRule rule_of(const OptimizedStore& m, const std::string& name) {
  return m.optimizer.rules()[static_cast<std::size_t>(m.store.find(name).first)];
}

std::string config_error(const std::string& config) {
  try {
    const OptimizedStore m(config, kParameters);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

std::string group_error(const std::string& groups) {
  return config_error("{\"groups\": [" + groups + "]}");
}

}  // namespace

TEST_CASE("groups: a star stands for any text, everything else for itself") {
  CHECK(matches("decoder.*", "decoder.layers.0.query.weight"));
  CHECK(matches("*.bias", "a.b.bias"));
  CHECK(matches("*", ""));
  CHECK(matches("a*b*c", "abc"));
  CHECK(matches("a*b*c", "a.b.b.c"));
  CHECK(matches("*ab", "aab"));
  CHECK(matches("a**b", "ab"));
  CHECK(matches("*.0.*.weight", "encoder.layers.0.query.weight"));
  CHECK(matches("name", "name"));
  CHECK_FALSE(matches("decoder.*", "decoder"));
  CHECK_FALSE(matches("decoder.*", "my.decoder.x"));
  CHECK_FALSE(matches("*.bias", "a.bias.b"));
  CHECK_FALSE(matches("ab*ba", "aba"));
  CHECK_FALSE(matches("a*b*c", "acb"));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches("a.c", "abc"));
}

TEST_CASE("groups: biases, gains and scalars are not decayed unless a group says so") {
  const OptimizedStore m(R"({"type": "adamw", "weight_decay": 0.1})", kParameters);
  CHECK(rule_of(m, "encoder.weight").weight_decay == 0.1);
  CHECK(rule_of(m, "decoder.weight").weight_decay == 0.1);
  for (const char* name : {"encoder.bias", "decoder.bias", "decoder.norm.gain", "scale"}) {
    CHECK(rule_of(m, name).weight_decay == 0.0);
  }
  const OptimizedStore grouped(
      R"({"type": "adamw", "weight_decay": 0.1, "groups": [
          {"match": "decoder.bias", "weight_decay": 0.2},
          {"match": "encoder.*", "learning_rate_factor": 0.5}, {"match": "decoder.*", "weight_decay": 0}]})",
      kParameters);
  CHECK(rule_of(grouped, "decoder.bias").weight_decay == 0.2);
  CHECK(rule_of(grouped, "decoder.bias").learning_rate_factor == 1.0);
  CHECK(rule_of(grouped, "decoder.weight").weight_decay == 0.0);
  CHECK(rule_of(grouped, "encoder.weight").weight_decay == 0.1);
  CHECK(rule_of(grouped, "encoder.weight").learning_rate_factor == 0.5);
  CHECK(rule_of(grouped, "encoder.bias").weight_decay == 0.0);
  CHECK(rule_of(grouped, "encoder.bias").learning_rate_factor == 0.5);
  CHECK(rule_of(grouped, "scale").learning_rate_factor == 1.0);
}

TEST_CASE("groups: a Transformer's norms and biases are spared, its matrices are not") {
  heddle::testing::TestModel m(heddle::testing::json_object(
      R"("d_model": 8, "heads": 2, "d_ff": 12, "layers": 1, "norm_order": "pre", "output_bias": true)"));
  const ConfigDocument document = ConfigDocument::parse(R"({"weight_decay": 0.1})", "test.json");
  const Optimizer optimizer(document.root(), m.store);
  for (const ParameterStore::Entry& entry : m.store.entries()) {
    CAPTURE(entry.name);
    const auto i = static_cast<std::size_t>(m.store.find(entry.name).first);
    const bool spared = entry.name.ends_with("bias") || entry.name.ends_with("gain");
    CHECK(optimizer.rules()[i].weight_decay == (spared ? 0.0 : 0.1));
  }
}

TEST_CASE("groups: what is frozen keeps its bits, has no state and is not trainable") {
  for (const std::string& type : heddle::testing::all_optimizers()) {
    CAPTURE(type);
    const std::string frozen = R"(, "groups": [{"match": "decoder.*", "freeze": true}]})";
    OptimizedStore m(type.substr(0, type.size() - 1) + frozen, kParameters);
    CHECK_FALSE(m.store.entry(m.store.find("decoder.bias").first).trainable);
    CHECK(m.store.entry(m.store.find("encoder.bias").first).trainable);
    const auto before = m.values();
    for (int update = 1; update <= 3; ++update) m.step(update);
    const auto after = m.values();
    for (const ParameterStore::Entry& entry : m.store.entries()) {
      CAPTURE(entry.name);
      const bool same = std::equal(before.begin() + entry.offset,
                                   before.begin() + entry.offset + entry.shape.elements(),
                                   after.begin() + entry.offset);
      CHECK(same == entry.name.starts_with("decoder."));
    }
    for (const TensorToWrite& tensor : m.optimizer.state()) {
      CHECK(tensor.name.find("decoder") == std::string::npos);
    }
  }
}

TEST_CASE("groups: a learning-rate factor of 0 moves nothing, one of 2 moves twice as far") {
  const auto moved = [](const std::string& factor) {
    OptimizedStore m(R"({"groups": [{"match": "scale", "learning_rate_factor": )" + factor + "}]}",
                     kParameters);
    const double before = m.values("scale")[0];
    m.step(1);
    return m.values("scale")[0] - before;
  };
  CHECK(moved("0") == 0.0);
  CHECK(moved("1") != 0.0);
  CHECK(moved("2") == doctest::Approx(2.0 * moved("1")).epsilon(1e-12));
}

TEST_CASE("groups: freezing one of query, key and value is refused at the first step") {
  const std::string sizes = R"("d_model": 8, "heads": 2, "d_ff": 12, "layers": 1)";
  const auto encode = [&](const std::string& pattern) {
    heddle::testing::TestModel m(heddle::testing::json_object(sizes));
    const ConfigDocument document = ConfigDocument::parse(
        R"({"groups": [{"match": ")" + pattern + R"(", "freeze": true}]})", "test.json");
    const Optimizer optimizer(document.root(), m.store);
    document.finish();
    GradientSlab gradients(m.store);
    Context c(gradients);
    c.begin(Mode::kTraining, {.seed = 1});
    const heddle::testing::Sentences source({3, 2}, {11}, 1);
    m.transformer.encode(c, source.tokens());
  };
  const std::string at = "encoder.layers.0.self_attention.";
  const std::string advice = "), though both are used as one matrix; freeze both or neither";
  CHECK_MESSAGE_THROWN(encode("*.key.*"), "parameter " + at +
                                              "key.weight: frozen beside one that " + "is not (" +
                                              at + "query.weight" + advice);
  CHECK_MESSAGE_THROWN(encode("*.query.*"), "parameter " + at + "query.weight: frozen beside one " +
                                                "that is not (" + at + "key.weight" + advice);
  CHECK_NOTHROW(encode("*.self_attention.*"));
}

TEST_CASE("groups: what is wrong is said, with the nearest pattern") {
  CHECK(group_error("{\"match\": \"encodr.*\"}") ==
        "test.json:1:23: groups[0].match: \"encodr.*\" matches no parameter; did you mean "
        "\"encoder.*\"?");
  CHECK(group_error("{\"match\": \"*.gian\"}") ==
        "test.json:1:23: groups[0].match: \"*.gian\" matches no parameter; did you mean "
        "\"*.gain\"?");
  CHECK(group_error("{\"match\": \"encoder.wieght\"}") ==
        "test.json:1:23: groups[0].match: \"encoder.wieght\" matches no parameter; did you mean "
        "\"encoder.weight\"?");
  CHECK(group_error("{\"match\": \"nothing.like.it\"}") ==
        "test.json:1:23: groups[0].match: \"nothing.like.it\" matches no parameter");
  CHECK(group_error("{\"match\": \"*\"}, {\"match\": \"scale\"}") ==
        "test.json:1:39: groups[1].match: groups before this one have taken all that \"scale\" "
        "matches; put it first");
  CHECK(group_error("{\"freeze\": false}") ==
        "test.json:1:13: groups[0].match: missing; say which parameters are meant, as in "
        "\"decoder.*\"");
  CHECK(group_error("{\"match\": \"*\", \"freeze\": true}") ==
        "test.json:1:12: groups: all parameters are frozen; nothing is left to train");
  CHECK(group_error("{\"match\": \"*\", \"momentum\": 0}") ==
        "test.json:1:28: groups[0].momentum: unknown key; known are freeze, learning_rate_factor, "
        "match, weight_decay");
  CHECK(group_error("{\"match\": \"*\", \"wieght_decay\": 0}") ==
        "test.json:1:28: groups[0].wieght_decay: unknown key; did you mean \"weight_decay\"?");
  CHECK(group_error("{\"match\": \"*\", \"weight_decay\": -1}") ==
        "test.json:1:44: groups[0].weight_decay: -1 is below 0");
  CHECK(config_error(R"({"groups": {"match": "*"}})") ==
        "test.json:1:12: groups: an object where a list belongs");
}

TEST_CASE("groups: the schema of an optimizer knows them") {
  const std::string schema = schema_of("An optimizer", [](const Config& config) {
    ParameterStore store(DType::kFloat32);
    const Optimizer optimizer(config, store);
  });
  const auto violation = [&](const std::string& text) { return schema_violation(schema, text); };
  CHECK(violation(R"({"type": "adamw", "weight_decay": 0.1, "betas": [0.9, 0.98], "groups": [
      {"match": "*.bias", "weight_decay": 0, "learning_rate_factor": 1, "freeze": true}]})") == "");
  CHECK(violation(R"({"type": "adafactor", "eps1": 1e-30, "eps2": 1e-3, "beta1": 0.9})") == "");
  CHECK(violation(R"({"type": "sgd", "momentum": 0.5, "nesterov": true})") == "");
  CHECK(violation(R"({"groups": [{"freeze": 1}]})") != "");
  CHECK(violation(R"({"groups": [{"pattern": "*"}]})") != "");
  CHECK(violation(R"({"groups": {}})") != "");
}
