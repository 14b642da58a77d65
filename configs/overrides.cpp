// Overrides from the command line: "model.encoder.block.0.heads=8".
#include <algorithm>

#include "configs/config_state.h"

namespace heddle {

namespace {

// JSON, or else the text itself. Lists and objects must be JSON.
Json value_of(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

// Forgets the places of what was in the file at and below `pointer`.
void forget(std::map<std::string, TextPlace, std::less<>>& places, const std::string& pointer) {
  std::erase_if(places, [&](const auto& entry) {
    return entry.first == pointer || entry.first.starts_with(pointer + "/");
  });
}

// What is wrong with the override; empty: it has been applied.
std::string apply(Config::State& state, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) return "is not of the form KEY=VALUE";
  if (!is_utf8(text)) return "is not UTF-8";
  const std::string path = text.substr(0, equals);
  Json* at = &state.text.root;
  std::string pointer;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string step = path.substr(begin, end - begin);
    if (step.empty()) return "has an empty key";
    if (at->is_array()) {
      const bool index = step.size() < 9 && step.find_first_not_of("0123456789") == step.npos;
      if (!index || std::stoul(step) >= at->size()) {
        return readable(pointer) + " is a list of " + std::to_string(at->size()) + ", without " +
               step;
      }
      at = &(*at)[std::stoul(step)];
    } else {
      if (at->is_null()) *at = Json::object();
      if (!at->is_object()) return readable(pointer) + " is no object";
      at = &(*at)[step];
    }
    pointer = pointer_to(pointer, step);
    begin = end + 1;
  }
  *at = value_of(text.substr(equals + 1));
  forget(state.text.keys, pointer);
  forget(state.text.values, pointer);
  state.overridden[pointer] = "--set " + text;
  return {};
}

}  // namespace

void apply_overrides(Config::State& state, std::span<const std::string> overrides) {
  std::string errors;
  for (const std::string& text : overrides) {
    const std::string wrong = apply(state, text);
    if (wrong.empty()) continue;
    errors.append(errors.empty() ? "" : "\n").append("--set ").append(text).append(": ");
    errors.append(wrong);
  }
  if (!errors.empty()) throw ConfigError(errors);
}

}  // namespace heddle
