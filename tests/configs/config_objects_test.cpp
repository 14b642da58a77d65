// Lists of objects that need no type: what is read, resolved and refused.
#include <doctest/doctest.h>

#include "configs/config.h"

using namespace heddle;

TEST_CASE("config: a list of objects without types") {
  const std::string about = "Groups.";
  const auto widths = [&](const ConfigDocument& document) {
    std::vector<std::int64_t> result;
    document.root().integer("width", 1, {}, "Width.");
    for (const Config& group : document.root().objects("groups", about)) {
      result.push_back(group.integer("width", 9, {1, 99}, "Width."));
      group.flag("on", false, "On.");
    }
    return result;
  };
  const auto wrong = [&](const std::string& text) {
    const ConfigDocument document = ConfigDocument::parse(text, "test.json");
    widths(document);
    try {
      document.finish();
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  using Widths = std::vector<std::int64_t>;
  const ConfigDocument given = ConfigDocument::parse(
      R"({"width": 5, "groups": [{"width": 3}, {}, {"on": true}]})", "test.json");
  CHECK(widths(given) == Widths{3, 9, 9});  // nothing is inherited
  given.finish();
  const ConfigDocument again = ConfigDocument::parse(given.resolved(), "again.json");
  CHECK(widths(again) == Widths{3, 9, 9});
  CHECK(again.resolved() == given.resolved());
  CHECK(widths(ConfigDocument::parse("{}", "test.json")).empty());
  CHECK(wrong(R"({"groups": 3})") == "test.json:1:12: groups: an integer where a list belongs");
  CHECK(wrong(R"({"groups": [{}, 3]})") ==
        "test.json:1:17: groups[1]: an integer where an object belongs");
  CHECK(wrong(R"({"groups": [{"width": 0}]})") ==
        "test.json:1:23: groups[0].width: 0 is outside 1 to 99");
  CHECK(wrong(R"({"groups": [{}, {"widht": 1}]})") ==
        "test.json:1:18: groups[1].widht: unknown key; did you mean \"width\"?");
}
