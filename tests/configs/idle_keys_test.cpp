// Keys that can have no effect in a config, and keys that belong elsewhere.
#include <doctest/doctest.h>

#include "configs/config.h"
#include "configs/schema.h"

using namespace heddle;

namespace {

constexpr std::string_view kSideKinds[] = {"plain", "fancy"};

/// Two sides with a width, which only fancy ones use, and with a colour, which only those read.
void read_sides(const Config& root) {
  for (const char* name : {"left", "right"}) {
    const Config side = root.inheriting(name, "A side.");
    const bool fancy = side.choice("kind", "plain", kSideKinds, "A kind.") == 1;
    side.integer("width", 4, {1, 99}, "A width.");
    if (!fancy) side.idle("width", "it is for ", "fancy ones");
    if (fancy) side.text("colour", "red", "A colour.");
    if (!fancy) side.unread("colour", "it is for fancy ones");
  }
  root.object("other", "Another.").integer("size", 1, {1, 99}, "A size.");
}

std::string sides_error(const std::string& text,
                        ConfigDocument::IdleKeys idle = ConfigDocument::IdleKeys::kRefuse,
                        const std::vector<std::string>& overrides = {}) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json", overrides);
  read_sides(document.root());
  try {
    document.finish(idle);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("config: a key that has no effect is an error, unless it has its default") {
  const std::string why = "has no effect: it is for fancy ones";
  CHECK(sides_error("{}") == "");
  CHECK(sides_error(R"({"width": 4})") == "");
  CHECK(sides_error(R"({"width": 4.0, "left": {"width": 4}})") == "");
  CHECK(sides_error(R"({"width": 5})") == "test.json:1:2: width: " + why);
  CHECK(sides_error(R"({"left": {"width": 5}})") == "test.json:1:11: left.width: " + why);
  CHECK(sides_error(R"({"width": 5, "right": {"kind": "fancy"}})") == "");  // one side uses it
  CHECK(sides_error(R"({"left": {"width": 5}, "right": {"kind": "fancy", "width": 6}})") ==
        "test.json:1:11: left.width: " + why);
  CHECK(sides_error("{}", ConfigDocument::IdleKeys::kRefuse, {"left.width=5"}) ==
        "--set left.width=5: left.width: " + why);
  CHECK(sides_error(R"({"width": 500})") ==
        "test.json:1:2: width: " + why + "\ntest.json:1:11: width: 500 is outside 1 to 99");
}

TEST_CASE("config: keys without effect can be accepted, and told") {
  const std::string text = R"({"kind": "plain", "width": 5})";
  CHECK(sides_error(text, ConfigDocument::IdleKeys::kAccept) == "");
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  read_sides(document.root());
  CHECK(document.idle_keys() ==
        std::vector<std::string>{"test.json:1:19: width: has no effect: it is for fancy ones"});
  const ConfigDocument fine = ConfigDocument::parse("{}", "test.json");
  read_sides(fine.root());
  CHECK(fine.idle_keys().empty());
  const ConfigDocument again = ConfigDocument::parse(fine.resolved(), "test.json");
  read_sides(again.root());
  CHECK(again.idle_keys().empty());
}

TEST_CASE("config: a key that another choice would read says so") {
  CHECK(sides_error(R"({"colour": "blue"})") ==
        "test.json:1:2: colour: has no effect: it is for fancy ones");
  CHECK(sides_error(R"({"colour": "blue", "left": {"kind": "fancy"}})") == "");
  CHECK(sides_error(R"({"left": {"colour": "blue"}, "right": {"kind": "fancy"}})") ==
        "test.json:1:11: left.colour: has no effect: it is for fancy ones");
  CHECK(sides_error(R"({"left": {"color": "blue"}})") ==
        "test.json:1:11: left.color: unknown key; known are kind, width");
}

TEST_CASE("config: a key of another section is found there") {
  CHECK(sides_error(R"({"left": {"size": 3}})") ==
        "test.json:1:11: left.size: unknown key; did you mean \"other.size\"?");
  CHECK(sides_error(R"({"size": 3})") ==
        "test.json:1:2: size: unknown key; did you mean \"other.size\"?");
  CHECK(sides_error(R"({"other": {"width": 3}})") ==
        "test.json:1:12: other.width: unknown key; did you mean \"width\", outside of any "
        "section?");
  CHECK(sides_error(R"({"other": {"left": 3}})") ==
        "test.json:1:12: other.left: unknown key; known are size");
}

TEST_CASE("config: what has no effect is no part of the schema") {
  const std::string schema = schema_of("A test", read_sides);
  CHECK(schema.find("colour") != std::string::npos);
  CHECK(schema.find("no effect") == std::string::npos);
}
