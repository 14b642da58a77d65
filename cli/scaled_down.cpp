#include "cli/scaled_down.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

// Four heads divide every d_model of a small model; a head's two columns suit rotary positions.
std::int64_t small_heads(std::int64_t heads) {
  return heads >= 4 ? 4 : heads == 3 ? 2 : heads;
}

std::int64_t small_size(const std::string& key, std::int64_t size) {
  if (key == "d_ff") return 6;
  if (key == "heads") return small_heads(size);
  if (key == "layers") return std::min<std::int64_t>(size, 2);
  if (key == "max_positions") return std::min<std::int64_t>(size, 16);
  return size;
}

struct Scaling {
  std::vector<std::int64_t> widths;  // all d_model, sorted: different ones stay different

  /// `heads`: those that an object inherits.
  void scale(Json& value, std::int64_t heads) const {
    if (value.is_array()) {
      for (Json& element : value) scale(element, heads);
    }
    if (!value.is_object()) return;
    heads = value.value("heads", heads);
    for (auto& [key, element] : value.items()) {
      if (!element.is_number_integer()) {
        scale(element, heads);
        continue;
      }
      const auto size = element.get<std::int64_t>();
      if (key == "d_model") {
        element = 8 * (std::ranges::find(widths, size) - widths.begin() + 1);
      } else if (key == "kv_heads") {  // shared stay shared, separate stay separate
        element = size == heads ? small_heads(heads) : std::min<std::int64_t>(size, 2);
      } else {
        element = small_size(key, size);
      }
    }
  }
};

// The values of all keys of this name.
void collect(const Json& value, const char* name, std::vector<std::int64_t>& values) {
  if (!value.is_structured()) return;
  for (const auto& [key, element] : value.items()) {
    collect(element, name, values);
    if (key == name && element.is_number_integer()) values.push_back(element);
  }
}

}  // namespace

std::string scaled_down(const std::string& resolved) {
  Json config = {{"model", Json::parse(resolved).at("model")}};
  Json& model = config["model"];
  std::vector<std::int64_t> widths;
  collect(model, "d_model", widths);
  std::ranges::sort(widths);
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  Scaling{widths}.scale(model, 0);
  return config.dump();
}

std::int32_t longest_sentence(const std::string& resolved) {
  std::vector<std::int64_t> lengths = {1000};
  collect(Json::parse(resolved)["model"], "max_positions", lengths);
  return static_cast<std::int32_t>(*std::ranges::min_element(lengths));
}

}  // namespace heddle
