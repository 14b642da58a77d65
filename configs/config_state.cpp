#include "configs/config_state.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace heddle {

namespace {

std::string parent_of(const std::string& pointer) {
  return pointer.substr(0, pointer.rfind('/'));
}

}  // namespace

std::string misplaced(const Json& value, const char* wanted) {
  const char* const given = value.is_object()           ? "an object"
                            : value.is_array()          ? "a list"
                            : value.is_string()         ? "a text"
                            : value.is_boolean()        ? "true or false"
                            : value.is_number_integer() ? "an integer"
                            : value.is_number()         ? "a number"
                                                        : "null";
  return std::string(given) + " where " + wanted + " belongs";
}

std::shared_ptr<Config::State> new_config_state() {
  auto state = std::make_shared<Config::State>();
  state->text.root = Json::object();
  return state;
}

std::size_t Config::State::node(const std::string& pointer, const Json* given,
                                std::optional<std::size_t> outer) {
  known[pointer];
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].pointer == pointer && nodes[i].outer == outer) return i;
  }
  nodes.push_back({pointer, given, outer});
  return nodes.size() - 1;
}

std::size_t Config::State::child(std::size_t parent, std::string_view key, bool inherits) {
  know(parent, key);
  const ConfigNode& from = nodes[parent];
  const std::string pointer = pointer_to(from.pointer, key);
  const Json* given = nullptr;
  if (from.given != nullptr && from.given->contains(key)) {
    given = &from.given->at(std::string(key));
    if (!given->is_object()) {
      note(pointer, misplaced(*given, "an object"));
      given = nullptr;
    }
  }
  return node(pointer, given, inherits ? std::optional(parent) : std::nullopt);
}

std::vector<std::size_t> Config::State::elements(std::size_t parent, std::string_view key,
                                                 bool inherit) {
  std::vector<std::size_t> objects;
  know(parent, key);
  const Json* given = nodes[parent].given;
  if (given == nullptr || !given->contains(key)) return objects;
  const std::string list = pointer_to(nodes[parent].pointer, key);
  const Json& values = given->at(std::string(key));
  if (!values.is_array()) {
    note(list, misplaced(values, "a list"));
    return objects;
  }
  if (!resolved.contains(Json::json_pointer(list))) {
    resolve(parent, key, std::vector<Json>(values.size(), Json::object()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string pointer = pointer_to(list, std::to_string(i));
    if (values[i].is_object()) {
      objects.push_back(node(pointer, &values[i], inherit ? std::optional(parent) : std::nullopt));
    } else {
      note(pointer, misplaced(values[i], "an object"));
    }
  }
  return objects;
}

void Config::State::know(std::size_t index, std::string_view key) {
  std::vector<std::string>& keys = known[nodes[index].pointer];
  if (std::ranges::find(keys, key) == keys.end()) keys.emplace_back(key);
}

Config::State::Value Config::State::find(std::size_t index, std::string_view key) {
  Value value;
  for (std::optional<std::size_t> at = index; at; at = nodes[*at].outer) {
    know(*at, key);
    const Json* given = nodes[*at].given;
    if (value.json == nullptr && given != nullptr && given->contains(key)) {
      value = {&given->at(std::string(key)), *at};
    }
  }
  return value;
}

Json& Config::State::resolved_object(const std::string& pointer) {
  Json* at = &resolved;
  for (const std::string& step : steps_of(pointer)) {
    if (at->is_array()) {
      at = &at->at(std::stoul(step));
    } else {
      at = &(*at)[step];
      if (at->is_null()) *at = Json::object();
    }
  }
  return *at;
}

void Config::State::resolve(std::size_t index, std::string_view key, const Json& value) {
  resolved_object(nodes[index].pointer)[std::string(key)] = value;
}

void Config::State::resolve_default(std::size_t index, std::string_view key, const Json& value) {
  std::size_t outermost = index;
  while (nodes[outermost].outer) outermost = *nodes[outermost].outer;
  const Json& there = resolved_object(nodes[outermost].pointer);
  const bool taken = there.contains(key) && there.at(std::string(key)) != value;
  resolve(taken ? index : outermost, key, value);
  defaults.push_back({index, std::string(key), value});
}

// A value that was written further in later on, for another reader, may hide the outer default from
// who read it before: that one then gets its own, which may hide others in turn.
void Config::State::settle_defaults() {
  const auto found = [&](const Default& d) -> const Json* {
    for (std::optional<std::size_t> at = d.node; at; at = nodes[*at].outer) {
      const Json::json_pointer pointer(nodes[*at].pointer);
      if (!resolved.contains(pointer)) continue;
      const Json& object = resolved.at(pointer);
      if (object.contains(d.key)) return &object.at(d.key);
    }
    return nullptr;
  };
  bool changed = true;
  for (std::size_t round = 0; changed && round <= nodes.size(); ++round) {
    changed = false;
    for (const Default& d : defaults) {
      const Json* value = found(d);
      if (value != nullptr && *value == d.value) continue;
      resolve(d.node, d.key, d.value);
      changed = true;
    }
  }
}

std::string Config::State::overriding(const std::string& pointer) const {
  for (std::string at = pointer; !at.empty(); at = parent_of(at)) {
    const auto set = overridden.find(at);
    if (set != overridden.end()) return set->second;
  }
  return {};
}

Config::State::Found Config::State::found_at(const std::string& pointer, bool at_key) const {
  Found found{false, {}, overriding(pointer)};
  found.overridden = !found.message.empty();
  if (found.overridden) return found;
  std::string at = pointer;
  while (!at.empty() && !text.values.contains(at)) at = parent_of(at);
  const auto& places = at_key && at == pointer ? text.keys : text.values;
  const auto place = places.find(at);
  if (place != places.end()) found.place = place->second;
  std::ostringstream out;
  out << name << ':' << found.place.line << ':' << found.place.column;
  found.message = out.str();
  return found;
}

void Config::State::note(const std::string& pointer, const std::string& message, bool at_key) {
  if (schema != nullptr) return;
  Found found = found_at(pointer, at_key);
  found.message.append(": ").append(readable(pointer)).append(": ").append(message);
  const bool again = std::ranges::any_of(
      errors, [&](const Found& other) { return other.message == found.message; });
  if (!again) errors.push_back(std::move(found));
}

void sort_errors(std::vector<Config::State::Found>& errors) {
  std::ranges::stable_sort(errors, [](const auto& a, const auto& b) {
    return std::pair(a.overridden, a.place) < std::pair(b.overridden, b.place);
  });
}

}  // namespace heddle
