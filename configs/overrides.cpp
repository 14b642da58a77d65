// Overrides from the command line: "model.encoder.block.0.heads=8".
#include <algorithm>

#include "configs/config_state.h"
#include "configs/path_text.h"

namespace heddle {

namespace {

// Objects, lists and quoted texts are JSON; numbers, true, false and null, too; else the text
// itself.
Json value_of(const std::string& text, const std::string& whole) {
  if (text.find_first_of("{[\"") == 0) return read_json_value(text, "--set " + whole).root;
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

// What is wrong with the override; empty: it has been applied.
std::string apply(Config::State& state, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) return "is not of the form KEY=VALUE";
  if (!is_utf8(text))
    return "is not UTF-8; a path may be given as file:///..., with %E9 for a byte";
  const std::string path = text.substr(0, equals);
  Json* at = &state.text.root;
  std::string pointer;
  if (std::ranges::count(path, '.') >= 64) return "nests deeper than 64 objects and lists";
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
  *at = value_of(text.substr(equals + 1), text);
  // What was set below is gone.
  std::erase_if(state.overridden,
                [&](const auto& entry) { return entry.first.starts_with(pointer + "/"); });
  state.overridden[pointer] = "--set " + text;
  return {};
}

}  // namespace

void apply_overrides(Config::State& state, std::span<const std::string> overrides) {
  std::string errors;
  for (const std::string& text : overrides) {
    if (!errors.empty()) errors.append("\n");
    const std::size_t before = errors.size();
    try {
      const std::string wrong = apply(state, text);
      if (!wrong.empty()) errors.append("--set ").append(text).append(": ").append(wrong);
    } catch (const ConfigError& error) {
      errors.append(error.what());
    }
    if (errors.size() == before && before > 0) errors.pop_back();
  }
  if (!errors.empty()) throw ConfigError(errors);
}

}  // namespace heddle
