// The schema that readers describe: it accepts what they read and refuses what they refuse.
#include "configs/schema.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "layers/transformer.h"
#include "tests/support/documents.h"
#include "tests/support/json_schema.h"
#include "tests/support/places.h"

using namespace heddle;
using heddle::testing::contents;
using heddle::testing::schema_violation;
using Json = nlohmann::json;

namespace {

constexpr Named<int> kColours[] = {{"red", 1}, {"green", 2}, {"blue", 3}};
constexpr std::string_view kTypes[] = {"circle", "square"};
constexpr std::string_view kLetters[] = {"a", "b"};
constexpr double kPair[] = {0.9, 0.98};

/// Keys that depend on choices, flags, lists and other levels.
void read_all(const Config& c) {
  if (c.choice("colour", "red", kColours, "A colour.") == 3) c.text("shade", "light", "A shade.");
  if (c.flag("big", false, "Big or not.")) c.integer("size", 10, {5, 99}, "How big.");
  c.integer_or("lanes", "auto", {1, 64}, "Lanes.");
  c.numbers("betas", kPair, Numbers::probability(), "A pair.");
  c.choices("letters", kLetters, "Some letters.");
  const Config side = c.inheriting("side", "A side.");
  side.number("eps", 0.5, Numbers::positive(), "Small.");
  c.object("other", "Another.").number("eps", 0.5, {}, "Any.");
  c.pass_over("free");
  for (const Config& group : c.objects("groups", "Groups.")) {
    group.integer("width", 1, {.least = 0}, "Width.");
  }
  for (const ConfigItem& item : c.items("shapes", kTypes, "Shapes.")) {
    if (item.type == 0) item.config.number("radius", 1.0, Numbers::positive(), "Radius.");
    if (item.type == 1) item.config.integer("edge", 1, {.least = 0}, "Edge.");
  }
}

bool reads(const std::string& text) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  try {
    read_all(document.root());
    document.finish();
  } catch (const ConfigError&) {
    return false;
  }
  return true;
}

std::string schema() {
  return schema_of("A test", read_all);
}

}  // namespace

TEST_CASE("schema: accepts what the reader reads and refuses what it refuses") {
  const std::string s = schema();
  const std::vector<std::string> good = {
      "{}",
      R"({"colour": "blue", "shade": "dark", "big": true, "size": 5, "lanes": "auto"})",
      R"({"lanes": 3, "betas": [0, 0.5], "side": {"eps": 0.1}, "eps": 3, "other": {"eps": -1}})",
      R"({"free": [1, {"x": null}], "shapes": [{"type": "square", "edge": 0},
          {"type": "circle", "radius": 2}, {"type": "circle"}], "radius": 3,
          "side": {}})",
      R"({"groups": [], "letters": []})",
      R"({"letters": ["b", "a"]})",
      R"({"groups": [{}, {"width": 2}, {"width": 0}]})",
      R"({"lanes": 3.0, "$schema": "heddle.schema.json"})"};
  for (const std::string& text : good) {
    CAPTURE(text);
    CHECK(schema_violation(s, text) == "");
  }
  const std::vector<std::string> bad = {R"({"colour": "pink"})",
                                        R"({"colour": 1})",
                                        R"({"big": 1})",
                                        R"({"lanes": 0})",
                                        R"({"lanes": "car"})",
                                        R"({"lanes": 1.5})",
                                        R"({"betas": [0.5]})",
                                        R"({"betas": [0.5, 1]})",
                                        R"({"betas": 0.5})",
                                        R"({"side": {"eps": 0}})",
                                        R"({"side": 3})",
                                        R"({"other": {"epsilon": 1}})",
                                        R"({"shapes": {}})",
                                        R"({"shapes": [{}]})",
                                        R"({"shapes": [{"type": "x"}]})",
                                        R"({"shapes": [{"type": "circle", "radius": 0}]})",
                                        R"({"shapes": [{"type": "square", "sides": 1}]})",
                                        R"({"letters": "a"})",
                                        R"({"letters": ["c"]})",
                                        R"({"letters": [1]})",
                                        R"({"letters": ["a", "a"]})",
                                        R"({"groups": {}})",
                                        R"({"groups": [1]})",
                                        R"({"groups": [{"width": -1}]})",
                                        R"({"groups": [{}, {"type": "a"}]})",
                                        R"({"unknown": 1})"};
  for (const std::string& text : bad) {
    CAPTURE(text);
    CHECK(schema_violation(s, text) != "");
    CHECK_FALSE(reads(text));
  }
  CHECK(reads(good[2]));
}

TEST_CASE("schema: names types, ranges, defaults and descriptions") {
  const Json properties = Json::parse(schema()).at("properties");
  CHECK(properties.at("size") ==
        Json::parse(R"({"type": "integer", "minimum": 5, "maximum": 99, "default": 10,
                        "description": "How big."})"));
  CHECK(properties.at("colour") == Json::parse(R"({"enum": ["red", "green", "blue"],
                        "default": "red", "description": "A colour."})"));
  CHECK(properties.at("side").at("properties").at("eps") == properties.at("eps"));
  CHECK(properties.at("other").at("description") == "Another.");
  CHECK(schema_of("A test", read_all) == schema_of("A test", read_all));
}

TEST_CASE("schema: every shipped config, and those in the documents, are valid and build a model") {
  const std::string s = contents("configs/heddle.schema.json");
  const auto check_config = [&](const std::string& text, const std::string& name) {
    CAPTURE(name);
    CHECK(schema_violation(s, text) == "");
    const ConfigDocument document = ConfigDocument::parse(text, name);
    for (const char* section : {"data", "optimizer", "schedule", "train", "decode", "seed"}) {
      document.root().pass_over(section);
    }
    ParameterStore store(DType::kFloat32);
    const Transformer transformer(Scope(store), document.root().object("model", "The model."),
                                  {{10000}, {10000}});
    document.finish();
    CHECK(store.elements() > 1000000);
  };
  int shipped = 0;
  const std::filesystem::path folder = heddle::testing::source_folder() + "/configs";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".json") || name == "heddle.schema.json") continue;
    check_config(contents("configs/" + name), name);
    ++shipped;
  }
  CHECK(shipped >= 3);
  const std::string text = contents("docs/model.md"), fence = "```json\n";
  int shown = 0;
  for (auto at = text.find(fence); at != text.npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    check_config(text.substr(begin, text.find("```", begin) - begin), "docs/model.md");
    ++shown;
  }
  CHECK(shown == 2);
}

TEST_CASE("schema: the shipped one refuses mistakes in a model") {
  const std::string s = contents("configs/heddle.schema.json");
  for (const char* model :
       {R"({"heads": 0})", R"({"positions": "rotari"})",
        R"({"encoder": {"block": [{"type": "cross_attention"}]}})",
        R"({"decoder": {"block": [{"type": "feed_forward", "d_f": 3}]}})", R"({"dropout": 1})",
        R"({"gated": "yes"})", R"({"encoder": {"tie": "all"}})"}) {
    CAPTURE(model);
    CHECK(schema_violation(s, std::string("{\"model\": ") + model + "}") != "");
  }
  for (
      const char* model :
      {R"({"heads": 4, "decoder": {"kv_heads": 2, "block": [{"type": "cross_attention", "heads": 2}]}})",
       R"({"positions": "learned", "max_positions": 3, "norm": "rms_norm", "norm_eps": 1e-6})",
       R"({"initialisation": "normal", "init_std": 0.1, "output_bias": true, "layers": 3})"}) {
    CAPTURE(model);
    CHECK(schema_violation(s, std::string("{\"model\": ") + model + "}") == "");
  }
}
