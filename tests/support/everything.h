// A reader with one of everything that configs can hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "configs/config.h"

namespace heddle::testing {

inline constexpr Named<int> kColours[] = {{"red", 1}, {"green", 2}, {"blue", 3}};
inline constexpr std::string_view kTypes[] = {"circle", "square"};
inline constexpr double kPair[] = {0.9, 0.98};

/// One of everything.
struct Everything {
  std::int64_t integer;
  std::optional<std::int64_t> lanes;
  double number, rate;
  std::vector<double> betas;
  bool flag;
  std::string text;
  int colour;
  std::int64_t inner, encoder_width, decoder_width;
  std::vector<std::pair<std::size_t, std::int64_t>> shapes;

  explicit Everything(const Config& c)
      : integer(c.integer("integer", 7, {1, 10}, "An integer.")),
        lanes(c.integer_or("lanes", "auto", {1, 64}, "Lanes.")),
        number(c.number("number", 0.5, {}, "A number.")),
        rate(c.number("rate", 0.25, Numbers::probability(), "A rate.")),
        betas(c.numbers("betas", kPair, Numbers::probability(), "A pair.")),
        flag(c.flag("flag", false, "A flag.")),
        text(c.text("text", "nothing", "A text.")),
        colour(c.choice("colour", "red", kColours, "A colour.")),
        inner(c.object("object", "An object.").integer("inner", 3, {.least = 0}, "Inside.")),
        encoder_width(c.inheriting("encoder", "A side.").integer("width", 4, {1, 99}, "Width.")),
        decoder_width(c.inheriting("decoder", "A side.").integer("width", 4, {1, 99}, "Width.")) {
    for (const ConfigItem& item : c.items("shapes", kTypes, "Shapes.")) {
      shapes.emplace_back(item.type, item.config.integer("width", 4, {1, 99}, "Width."));
    }
  }
};

inline Everything read_everything(const std::string& text,
                                  const std::vector<std::string>& overrides = {}) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json", overrides);
  const Everything everything(document.root());
  document.finish();
  return everything;
}

/// The message of the ConfigError; any other exception fails the test.
inline std::string error(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    read_everything(text, overrides);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

inline std::string resolved(const std::string& text) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  const Everything everything(document.root());
  document.finish();
  return document.resolved();
}

}  // namespace heddle::testing
