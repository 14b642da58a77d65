// What a reader of a config gets, and every sentence that a wrong one earns.
#include "configs/config.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/everything.h"
#include "tests/support/temporary_folder.h"

using namespace heddle;
using heddle::testing::error;
using heddle::testing::Everything;
using heddle::testing::kTypes;
using heddle::testing::read_everything;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;

TEST_CASE("config: without keys everything has its default") {
  const Everything e = read_everything("{}");
  CHECK(e.integer == 7);
  CHECK_FALSE(e.lanes);
  CHECK(e.number == 0.5);
  CHECK(e.rate == 0.25);
  CHECK(e.betas == std::vector<double>{0.9, 0.98});
  CHECK_FALSE(e.flag);
  CHECK(e.text == "nothing");
  CHECK(e.colour == 1);
  CHECK(e.inner == 3);
  CHECK(e.encoder_width == 4);
  CHECK(e.shapes.empty());
}

TEST_CASE("config: what is given is read, comments are not") {
  const Everything e = read_everything(R"(// a config
    {"integer": 4.0, "lanes": 2, "number": -1e3, /* why not */ "rate": 0, "betas": [0.5, 0],
     "flag": true, "text": "a // b", "colour": "blue", "object": {"inner": 0},
     "$schema": "heddle.schema.json"} // the end)");
  CHECK(e.integer == 4);
  CHECK(e.lanes == 2);
  CHECK(e.number == -1000.0);
  CHECK(e.rate == 0.0);
  CHECK(e.betas == std::vector<double>{0.5, 0.0});
  CHECK(e.flag);
  CHECK(e.text == "a // b");
  CHECK(e.colour == 3);
  CHECK(e.inner == 0);
  CHECK_FALSE(read_everything(R"({"lanes": "auto"})").lanes);
}

TEST_CASE("config: sides and items inherit, and override") {
  const Everything e = read_everything(R"({"width": 5, "encoder": {"width": 6},
    "shapes": [{"type": "square"}, {"type": "circle", "width": 7}]})");
  CHECK(e.encoder_width == 6);
  CHECK(e.decoder_width == 5);
  const std::vector<std::pair<std::size_t, std::int64_t>> shapes = {{1, 5}, {0, 7}};
  CHECK(e.shapes == shapes);
  // Objects and lists are not inherited.
  CHECK(error(R"({"encoder": {"object": {}}})") ==
        "test.json:1:14: encoder.object: unknown key; did you mean \"object\", outside of any "
        "section?");
}

TEST_CASE("config: a wrong value is named with its place") {
  CHECK(error(R"({"integer": 7.5})") == "test.json:1:13: integer: 7.5 is no integer");
  CHECK(error(R"({"integer": 0})") == "test.json:1:13: integer: 0 is outside 1 to 10");
  CHECK(error(R"({"integer": 11})") == "test.json:1:13: integer: 11 is outside 1 to 10");
  CHECK(error(R"({"integer": 12345678901234567890})") ==
        "test.json:1:13: integer: 12345678901234567890 is too large");
  CHECK(error(R"({"integer": 1e300})") == "test.json:1:13: integer: 1e+300 is too large");
  CHECK(error(R"({"integer": "7"})") == "test.json:1:13: integer: a text where an integer belongs");
  CHECK(error(R"({"integer": null})") == "test.json:1:13: integer: null where an integer belongs");
  CHECK(error(R"({"object": {"inner": -1}})") == "test.json:1:22: object.inner: -1 is below 0");
  CHECK(error(R"({"lanes": "atuo"})") ==
        "test.json:1:11: lanes: \"atuo\" is neither an integer nor \"auto\"");
  CHECK(error(R"({"lanes": 0})") == "test.json:1:11: lanes: 0 is outside 1 to 64");
  CHECK(error(R"({"number": true})") ==
        "test.json:1:12: number: true or false where a number belongs");
  CHECK(error(R"({"rate": 1})") == "test.json:1:10: rate: 1 is not below 1");
  CHECK(error(R"({"rate": -0.5})") == "test.json:1:10: rate: -0.5 is below 0");
  CHECK(error(R"({"betas": [1]})") == "test.json:1:11: betas: a list of 1 where 2 numbers belong");
  CHECK(error(R"({"betas": [0.5, 2]})") == "test.json:1:11: betas: 2 is not below 1");
  CHECK(error(R"({"betas": 0.5})") ==
        "test.json:1:11: betas: a number where a list of numbers belongs");
  CHECK(error(R"({"flag": 1})") == "test.json:1:10: flag: an integer where true or false belongs");
  CHECK(error(R"({"text": []})") == "test.json:1:10: text: a list where a text belongs");
  CHECK(error(R"({"colour": "gren"})") ==
        "test.json:1:12: colour: \"gren\" is none of red, green, blue; did you mean \"green\"?");
  CHECK(error(R"({"colour": {}})") == "test.json:1:12: colour: an object where a name belongs");
  CHECK(error(R"({"object": 3})") == "test.json:1:12: object: an integer where an object belongs");
  CHECK(error(R"({"shapes": {}})") == "test.json:1:12: shapes: an object where a list belongs");
  CHECK(error(R"({"shapes": [3]})") ==
        "test.json:1:13: shapes[0]: an integer where an object belongs");
  CHECK(error(R"({"shapes": [{}]})") == "test.json:1:13: shapes[0]: has no \"type\"");
  CHECK(error(R"({"shapes": [{"type": "squre"}]})") ==
        "test.json:1:22: shapes[0].type: \"squre\" is none of circle, square; did you mean "
        "\"square\"?");
}

TEST_CASE("config: all errors are shown together, in the order of the file, each once") {
  CHECK(error("{\"object\": {\"iner\": 1},\n \"integer\": 0, \"width\": 0,\n"
              " \"shapes\": [{\"type\": \"circle\", \"with\": 1}], \"zzz\": 1}") ==
        "test.json:1:13: object.iner: unknown key; did you mean \"inner\"?\n"
        "test.json:2:13: integer: 0 is outside 1 to 10\n"
        "test.json:2:25: width: 0 is outside 1 to 99\n"
        "test.json:3:32: shapes[0].with: unknown key; did you mean \"width\"?\n"
        "test.json:3:45: zzz: unknown key; known are betas, colour, decoder, encoder, flag, "
        "integer, lanes, number, object, rate, shapes, text, width");
}

TEST_CASE("config: a component notes errors of its own, also on defaults") {
  const ConfigDocument document =
      ConfigDocument::parse("\n {\"side\": {\"heads\": 3}}", "test.json");
  const Config side = document.root().object("side", "A side.");
  side.integer("heads", 8, {1, 99}, "Heads.");
  side.integer("d_model", 8, {1, 99}, "Width.");
  CHECK(side.place() == "side");
  side.error("heads", 3, " does not divide ", "d_model ", 8);
  side.error("d_model", "is odd");
  std::string message;
  try {
    document.finish();
  } catch (const ConfigError& e) {
    message = e.what();
  }
  CHECK(message ==
        "test.json:2:11: side.d_model: is odd\n"
        "test.json:2:21: side.heads: 3 does not divide d_model 8");
}

TEST_CASE("config: places count lines, characters and what is between tokens") {
  CHECK(error("\xEF\xBB\xBF{\"integer\": 0}") == "test.json:1:13: integer: 0 is outside 1 to 10");
  CHECK(error("{\"text\": \"\xC3\xA4\xC3\xB6\", \"integer\": 0}") ==
        "test.json:1:27: integer: 0 is outside 1 to 10");
  CHECK(error("{\r\n\"integer\" :\r\n  0}") == "test.json:3:3: integer: 0 is outside 1 to 10");
  CHECK(error("{\"number\":1/* , */,/*\n*/\"integer\"/**/:/**/0}") ==
        "test.json:2:21: integer: 0 is outside 1 to 10");
  CHECK(error("{\"number\":1,\"integer\":0}") == "test.json:1:23: integer: 0 is outside 1 to 10");
  CHECK(error("{\"betas\": [0.5,0.5],\"integer\":0}") ==
        "test.json:1:31: integer: 0 is outside 1 to 10");
  CHECK(error("// \"x\"\n// {\n{\"number\": 1.5e0 // , \"y\"\n, \"integer\": 0}") ==
        "test.json:4:14: integer: 0 is outside 1 to 10");
}

TEST_CASE("config: text that is no config") {
  CHECK(error("") == "test.json:1:1: the file holds no config; it begins with {");
  CHECK(error("  // nothing\n") == "test.json:2:1: the file holds no config; it begins with {");
  CHECK(error("[1]") == "test.json:1:1: a config is an object; it begins with {");
  CHECK(error("3") == "test.json:1:1: a config is an object; it begins with {");
  CHECK(error("{\"integer\": 1") ==
        "test.json:1:14: the file ends too early: the { in line 1 is never closed");
  CHECK(error("{\n\"shapes\": [\n{\"type\":") ==
        "test.json:3:9: the file ends too early: the { in line 3 is never closed");
  CHECK(error("{\"betas\": [1,") ==
        "test.json:1:14: the file ends too early: the [ in line 1 is never closed");
  CHECK(error("{\"text\": \"abc") == "test.json:1:10: a text is never closed");
  CHECK(error("{/* \"text\"") == "test.json:1:2: a comment is never closed");
  CHECK(error("{\"integer\": 1 \"flag\": true}") ==
        "test.json:1:15: unexpected string literal; expected '}'");
  CHECK(error("{\"integer\": 1,}") == "test.json:1:15: unexpected '}'; expected string literal");
  CHECK(error("{\"integer\": tru}") == "test.json:1:13: invalid literal");
  CHECK(error("{} x") == "test.json:1:4: invalid literal");
  CHECK(error("{} {}") == "test.json:1:4: unexpected '{'; expected end of input");
  CHECK(error("{\"integer\": 1e999}") == "test.json:1:13: the number 1e999 is too large");
  CHECK(error("{\"text\": \"\xFF\"}") == "test.json:1:10: invalid string: ill-formed UTF-8 byte");
  CHECK(error("{\"integer\": 1, \"flag\": true,\n \"integer\": 2}") ==
        "test.json:2:2: integer: the key appears twice, first in line 1");
  CHECK(error("{\"object\": {\"inner\": 1, \"inner\": 1}, \"object\": {}}") ==
        "test.json:1:25: object.inner: the key appears twice, first in line 1\n"
        "test.json:1:38: object: the key appears twice, first in line 1");
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "{\"a\":";
  CHECK(error(deep).find("nests deeper than 64 objects and lists") != std::string::npos);
  CHECK(error(std::string((1 << 20) + 1, ' ')) ==
        "test.json: is longer than a config may be, 1048576 bytes");
}

TEST_CASE("config: a NUL byte is an error at its place, wherever it stands") {
  using std::string_literals::operator""s;
  const std::string nul = ": a NUL byte, which is no part of a text";
  CHECK(error("{\"integer\": 3}\n \0 {\"integer\": }"s) == "test.json:2:2" + nul);
  CHECK(error("{\"integer\": 3}\0"s) == "test.json:1:15" + nul);
  CHECK(error("{\"integer\": 3, // a\0b\n \"number\": 1}"s) == "test.json:1:20" + nul);
  CHECK(error("{\"text\": \"\u00e9\0\"}"s) == "test.json:1:12" + nul);
  CHECK(error("\0"s) == "test.json:1:1" + nul + "; if the file is UTF-16, save it as UTF-8");
  CHECK(error("{\0\"\0a\0"s) ==
        "test.json:1:2" + nul + "; if the file is UTF-16, save it as UTF-8");
}

TEST_CASE("config: a path that is not UTF-8 is written as a URI, and any path may be") {
  const ConfigDocument document = ConfigDocument::parse(
      "{\"a\": \"x/50%25.txt\", \"b\": \"file:///t/caf%E9%20%/x\"}", "/caf\xE9/c.json");
  CHECK(document.root().path("a", "A file.") == "/caf\xE9/x/50%25.txt");
  CHECK(document.root().path("b", "A file.") == "/t/caf\xE9 %/x");
  document.finish();
  const std::string resolved = document.resolved();
  CHECK(resolved ==
        "{\n  \"a\": \"file:///caf%E9/x/50%2525.txt\",\n"
        "  \"b\": \"file:///t/caf%E9%20%25/x\"\n}\n");
  const ConfigDocument again = ConfigDocument::parse(resolved, "/c.json");
  CHECK(again.root().path("a", "A file.") == "/caf\xE9/x/50%25.txt");
  CHECK(again.root().path("b", "A file.") == "/t/caf\xE9 %/x");
  const ConfigDocument nul = ConfigDocument::parse("{\"a\": \"x\\u0000y\"}", "test.json");
  nul.root().path("a", "A file.");
  CHECK_THROWS_WITH_AS(nul.finish(), "test.json:1:7: a: a path with a NUL character", ConfigError);
}

TEST_CASE("config: files") {
  const TemporaryFolder folder;
  const auto message = [](const std::filesystem::path& path) {
    try {
      ConfigDocument::read(path);
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(message("/nowhere/a.json") == "/nowhere/a.json: there is no such file");
  CHECK(message(folder / ".") == (folder / ".").string() + ": is a folder, not a config");
  const auto path = folder / "a.json";
  write_bytes(path, "{\"data\": \"../x/train.en\"}");
  const ConfigDocument document = ConfigDocument::read(path);
  const auto parent = path.parent_path().parent_path();
  CHECK(document.root().path("data", "A file.") == parent / "x" / "train.en");
  document.finish();
  CHECK(document.resolved() ==
        "{\n  \"data\": \"" + (parent / "x" / "train.en").string() + "\"\n}\n");
  const std::vector<std::string> set = {"data=y/train.en"};
  CHECK(ConfigDocument::read(path, set).root().path("data", "A file.") ==
        std::filesystem::current_path() / "y" / "train.en");
  const std::vector<std::string> around = {"side={\"data\": \"y/train.en\"}", "other=1"};
  const ConfigDocument inside = ConfigDocument::read(path, around);
  CHECK(inside.root().object("side", "A side.").path("data", "A file.") ==
        std::filesystem::current_path() / "y" / "train.en");
  CHECK(inside.root().path("data", "A file.") == parent / "x" / "train.en");
  const ConfigDocument missing = ConfigDocument::parse("{\"a\": {\"wrong\": 3}}", "test.json");
  missing.root().object("a", "An object.").path("data", "A file.");
  missing.root().object("a", "An object.").path("wrong", "A file.");
  CHECK_THROWS_WITH_AS(missing.finish(),
                       "test.json:1:7: a.data: missing; give the path of a file\n"
                       "test.json:1:17: a.wrong: an integer where the path of a file belongs",
                       ConfigError);
}

TEST_CASE("config: whatever is cut off or changed in a file earns a ConfigError at most") {
  const std::string text = R"({"integer": 4, "lanes": 2, "number": -1e3, /* c */ "rate": 0.5, // d
    "betas": [0.5, 0], "flag": true, "text": "a\u00e4", "colour": "blue", "object": {"inner": 0},
    "width": 5, "encoder": {"width": 6}, "shapes": [{"type": "square"}, {"type": "circle"}]})";
  CHECK(error(text).empty());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    const std::string message = error(text.substr(0, length));
    CHECK(message.starts_with("test.json:"));
    CHECK(message.find("json.exception") == std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  std::uint32_t random = 1;
  const auto next = [&](std::size_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  int failed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = text;
    for (std::size_t edit = 0; edit <= next(3); ++edit) {
      const std::size_t at = next(damaged.size());
      if (next(3) == 0) {
        damaged.erase(at, 1 + next(5));
      } else if (next(2) == 0) {
        damaged.insert(at, 1, "{}[]\",:/*0-e\x80 \n"[next(16)]);
      } else {
        damaged[at] = static_cast<char>(next(256));
      }
    }
    failed += error(damaged).empty() ? 0 : 1;
  }
  CHECK(failed > 10000);
  CHECK(failed < 20000);
}
