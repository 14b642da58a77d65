#include "cli/scaled_down.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t at_most_two(std::int64_t x) {
  return std::min<std::int64_t>(x, 2);
}

struct Size {
  std::string_view key;
  std::int64_t (*small)(std::int64_t);
};

// Four heads, or two that share keys and values, divide every d_model; a head's two columns suit
// rotary positions.
constexpr Size kSizes[] = {
    {"d_ff", [](std::int64_t) -> std::int64_t { return 6; }},
    {"heads", [](std::int64_t x) -> std::int64_t { return x >= 4   ? 4
                                                          : x == 3 ? 2
                                                                   : x; }},
    {"kv_heads", at_most_two},
    {"layers", at_most_two},
    {"max_positions", [](std::int64_t x) { return std::min<std::int64_t>(x, 16); }},
};

void scale(Json& value, const std::vector<std::int64_t>& widths) {
  if (value.is_array()) {
    for (Json& element : value) scale(element, widths);
  }
  if (!value.is_object()) return;
  for (auto& [key, element] : value.items()) {
    if (!element.is_number_integer()) {
      scale(element, widths);
    } else if (key == "d_model") {  // different widths stay different
      const auto rank = std::ranges::find(widths, element.get<std::int64_t>()) - widths.begin();
      element = 8 * (rank + 1);
    } else {
      for (const Size& size : kSizes) {
        if (key == size.key) element = size.small(element.get<std::int64_t>());
      }
    }
  }
}

void collect_widths(const Json& value, std::vector<std::int64_t>& widths) {
  if (!value.is_structured()) return;
  for (const auto& [key, element] : value.items()) {
    collect_widths(element, widths);
    if (key == "d_model" && element.is_number_integer()) widths.push_back(element);
  }
}

}  // namespace

std::string scaled_down(const std::string& resolved) {
  Json config = Json::parse(resolved);
  Json& model = config["model"];
  std::vector<std::int64_t> widths;
  collect_widths(model, widths);
  std::ranges::sort(widths);
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  scale(model, widths);
  return config.dump();
}

}  // namespace heddle
