// Names from other tools: the table fits the keys that there are.
#include "configs/aliases.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/support/documents.h"

using namespace heddle;
using heddle::testing::contents;
using Json = nlohmann::json;

namespace {

struct SchemaKeys {
  std::set<std::string> paths, names;

  void add(const Json& schema, const std::string& path) {
    if (!schema.contains("properties")) return;
    for (const auto& [name, value] : schema.at("properties").items()) {
      const std::string place = path.empty() ? name : path + "." + name;
      paths.insert(place);
      names.insert(name);
      add(value, place);
      if (!value.contains("items")) continue;
      add(value.at("items"), place);
      if (!value.at("items").contains("anyOf")) continue;
      for (const Json& item : value.at("items").at("anyOf")) add(item, place);
    }
  }
};

SchemaKeys keys_of_schema() {
  SchemaKeys keys;
  keys.add(Json::parse(contents("configs/heddle.schema.json")), "");
  return keys;
}

}  // namespace

TEST_CASE("aliases: every suggestion is a key, and no name of another tool hides one") {
  const SchemaKeys keys = keys_of_schema();
  REQUIRE(keys.paths.contains("schedule.learning_rate"));
  REQUIRE(keys.names.contains("learning_rate_factor"));  // inside a list
  std::set<std::string_view> seen;
  for (const Alias& alias : aliases()) {
    CAPTURE(alias.name);
    CHECK(keys.paths.contains(std::string(alias.key)));
    CHECK_FALSE(keys.names.contains(std::string(alias.name)));
    CHECK(seen.insert(alias.name).second);
    CHECK(alias.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
          std::string_view::npos);
    CHECK(key_of_alias(alias.name) == alias.key);
  }
  CHECK(seen.size() > 400);
}

TEST_CASE("aliases: case does not matter, and dashes are underscores") {
  CHECK(key_of_alias("lr") == "schedule.learning_rate");
  CHECK(key_of_alias("LR") == "schedule.learning_rate");
  CHECK(key_of_alias("transformer-dim-ffn") == "model.d_ff");
  CHECK(key_of_alias("T_max") == "schedule.decay_steps");
  CHECK(key_of_alias("learning_rate") == "");
  CHECK(key_of_alias("") == "");
}
