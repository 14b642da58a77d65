// Overrides, and the resolved config: what was read, defaults included, reads as the same.
#include <doctest/doctest.h>

#include "tests/support/everything.h"

using namespace heddle;
using heddle::testing::error;
using heddle::testing::Everything;
using heddle::testing::kTypes;
using heddle::testing::read_everything;
using heddle::testing::resolved;

TEST_CASE("config: overrides replace, create and index; they are checked as the file is") {
  CHECK(read_everything("{\"integer\": 3}", {"integer=5"}).integer == 5);
  CHECK(read_everything("{}", {"object.inner=5", "text=hello", "colour=\"blue\"", "flag=true"})
            .inner == 5);
  CHECK(read_everything("{}", {"text=1.5x", "betas=[0.1,0.2]"}).betas[1] == 0.2);
  CHECK(read_everything("{}", {"text=a=b"}).text == "a=b");
  CHECK(read_everything("{\"shapes\": [{\"type\": \"circle\"}]}", {"shapes.0.width=9"})
            .shapes[0]
            .second == 9);
  CHECK(error("{}", {"integer=0"}) == "--set integer=0: integer: 0 is outside 1 to 10");
  CHECK(error("{\"integer\": 99, \"zz\": 1}", {"integer=0", "object.iner=1"}) ==
        "test.json:1:17: zz: unknown key; known are betas, colour, decoder, encoder, flag, "
        "integer, lanes, number, object, rate, shapes, text, width\n"
        "--set integer=0: integer: 0 is outside 1 to 10\n"
        "--set object.iner=1: object.iner: unknown key; did you mean \"inner\"?");
  // Values are read as strictly as files.
  CHECK(
      error("{}", {"object={\"inner\":1,\"inner\":2}"}) ==
      "--set object={\"inner\":1,\"inner\":2}:1:12: inner: the key appears twice, first in line 1");
  CHECK(error("{}", {"object={\"inner\":"}).find("the file ends too early") != std::string::npos);
  CHECK(error("{}", {"text=" + std::string(30000, '[')}).find("nests deeper than 64") !=
        std::string::npos);
  std::string deep = "a";
  for (int i = 0; i < 100; ++i) deep += ".a";
  CHECK(error("{}", {deep + "=1"}) ==
        "--set " + deep + "=1: nests deeper than 64 objects and lists");
  // A later override of the object takes the place of an earlier one inside it.
  CHECK(error("{}", {"object.inner=-1", "object={\"inner\":-2}"}) ==
        "--set object={\"inner\":-2}: object.inner: -2 is below 0");
  CHECK(error("{\"flag\": true, \"shapes\": []}",
              {"integer", "=3", "a..b=1", "flag.x=1", "shapes.0=1", "shapes.x=1", "text=\xFF"}) ==
        "--set integer: is not of the form KEY=VALUE\n"
        "--set =3: is not of the form KEY=VALUE\n"
        "--set a..b=1: has an empty key\n"
        "--set flag.x=1: flag is no object\n"
        "--set shapes.0=1: shapes is a list of 0, without 0\n"
        "--set shapes.x=1: shapes is a list of 0, without x\n"
        "--set text=\xFF: is not UTF-8; a path may be given as file:///..., with %E9 for a byte");
}

TEST_CASE("config: the resolved config holds what was read, and reads as the same") {
  CHECK(resolved("{\"number\": 0.1, \"encoder\": {\"width\": 6}, \"$schema\": \"x\"}") ==
        R"({
  "integer": 7,
  "lanes": "auto",
  "number": 0.1,
  "rate": 0.25,
  "betas": [
    0.9,
    0.98
  ],
  "flag": false,
  "text": "nothing",
  "colour": "red",
  "object": {
    "inner": 3
  },
  "encoder": {
    "width": 6
  },
  "width": 4
}
)");
  const std::string text = R"({"width": 9, "decoder": {"width": 8}, "betas": [0.1, 0.3],
    "shapes": [{"width": 3, "type": "circle"}, {"type": "square"}], "colour": "green"})";
  const std::string once = resolved(text);
  CHECK(resolved(once) == once);
  const Everything a = read_everything(text), b = read_everything(once);
  CHECK(a.shapes == b.shapes);
  CHECK(a.decoder_width == b.decoder_width);
  CHECK(a.encoder_width == b.encoder_width);
  CHECK(a.betas == b.betas);
}

TEST_CASE("config: components with different defaults for an inherited key keep them") {
  const auto eps = [](const std::string& text, std::vector<double>& values) {
    const ConfigDocument document = ConfigDocument::parse(text, "test.json");
    values.clear();
    for (const char* side : {"encoder", "decoder", "third"}) {
      const Config config = document.root().inheriting(side, "A side.");
      const double standard = std::string_view(side) == "decoder" ? 1e-6 : 1e-5;
      values.push_back(config.number("eps", standard, Numbers::positive(), "Small."));
    }
    document.finish();
    return document.resolved();
  };
  std::vector<double> first, second;
  const std::string once = eps("{}", first);
  CHECK(first == std::vector<double>{1e-5, 1e-6, 1e-5});
  CHECK(eps(once, second) == once);
  CHECK(second == first);
  eps(R"({"eps": 0.5, "third": {"eps": 0.25}})", first);
  CHECK(first == std::vector<double>{0.5, 0.5, 0.25});
}

TEST_CASE("config: a default that another reader hides later is written where it is needed") {
  const auto eps = [](const std::string& text, std::vector<double>& values) {
    const ConfigDocument document = ConfigDocument::parse(text, "test.json");
    values.clear();
    const Config side = document.root().inheriting("side", "A side.");
    for (const ConfigItem& item : side.items("shapes", kTypes, "Shapes.")) {
      values.push_back(item.config.number("eps", item.type == 0 ? 1e-5 : 1e-6, {}, "Small."));
    }
    values.push_back(side.number("eps", 1e-6, {}, "Small."));
    document.finish();
    return document.resolved();
  };
  std::vector<double> first, second;
  const std::string once =
      eps(R"({"side": {"shapes": [{"type": "circle"}, {"type": "square"}, {"type": "circle"}]}})",
          first);
  CHECK(first == std::vector<double>{1e-5, 1e-6, 1e-5, 1e-6});
  eps(once, second);
  CHECK(second == first);
}

TEST_CASE("config: a list of names") {
  constexpr std::string_view kNames[] = {"north", "south", "west"};
  const auto read = [&](const std::string& text) {
    const ConfigDocument document = ConfigDocument::parse(text, "test.json");
    const std::vector<std::size_t> chosen = document.root().choices("ways", kNames, "Ways.");
    document.finish();
    CHECK(ConfigDocument::parse(document.resolved(), "again").root().choices("ways", kNames, "") ==
          chosen);
    return chosen;
  };
  CHECK(read("{}").empty());
  CHECK(read(R"({"ways": ["west", "north"]})") == std::vector<std::size_t>{2, 0});
  CHECK_THROWS_WITH_AS(read(R"({"ways": ["est"]})"),
                       "test.json:1:10: ways: \"est\" is none of north, south, west; did you mean "
                       "\"west\"?",
                       ConfigError);
  CHECK_THROWS_WITH_AS(read(R"({"ways": ["west", "west"]})"),
                       "test.json:1:10: ways: \"west\" is there twice", ConfigError);
  CHECK_THROWS_WITH_AS(read(R"({"ways": "west"})"),
                       "test.json:1:10: ways: a text where a list of names belongs", ConfigError);
}

TEST_CASE("config: a number or a word; whole numbers resolve as integers") {
  const ConfigDocument document = ConfigDocument::parse(
      R"({"a": 0.5, "b": "same", "c": 4.0, "d": 2.0, "e": "smae"})", "t.json");
  const Config root = document.root();
  CHECK(root.number_or("a", "same", {}, "A number.") == 0.5);
  CHECK_FALSE(root.number_or("b", "same", {}, "A number."));
  CHECK_FALSE(root.number_or("absent", "same", {}, "A number."));
  CHECK(root.integer("c", 1, {}, "An integer.") == 4);
  CHECK(root.integer_or("d", "auto", {}, "An integer.") == 2);
  CHECK(document.resolved() ==
        "{\n  \"a\": 0.5,\n  \"b\": \"same\",\n  \"absent\": \"same\",\n"
        "  \"c\": 4,\n  \"d\": 2\n}\n");
  root.number_or("e", "same", {}, "A number.");
  CHECK_THROWS_WITH_AS(document.finish(),
                       "t.json:1:50: e: \"smae\" is neither a number nor \"same\"", ConfigError);
}

TEST_CASE("config: a list of items may be read twice") {
  const ConfigDocument document =
      ConfigDocument::parse(R"({"shapes": [{"type": "circle", "width": 7}]})", "test.json");
  const Everything once(document.root()), twice(document.root());
  document.finish();
  CHECK(once.shapes == twice.shapes);
  CHECK(document.resolved().find("\"width\": 7") != std::string::npos);
}

TEST_CASE("config: a section that is passed over stays as it is") {
  const std::string text = "{\"data\": {\"anything\": [1, {\"x\": null}]}}";
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  document.root().pass_over("data");
  document.root().pass_over("absent");
  document.finish();
  CHECK(document.resolved() ==
        "{\n  \"data\": {\n    \"anything\": [\n      1,\n      {\n        \"x\": null\n      }\n"
        "    ]\n  }\n}\n");
}
