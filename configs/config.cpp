#include "configs/config.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/base/nearest.h"
#include "configs/config_state.h"
#include "configs/path_text.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

std::string quoted(std::string_view text) {
  return std::string("\"").append(text).append("\"");
}

// What is wrong with a number; empty: nothing.
template <class T>
std::string outside(const T& value, const T& least, const T& most, bool above, bool below) {
  std::ostringstream out;
  out.precision(17);
  const bool low = above ? !(value > least) : !(value >= least);
  const bool high = below ? !(value < most) : !(value <= most);
  if (!low && !high) return {};
  if (!above && !below && least > std::numeric_limits<T>::lowest() &&
      most < std::numeric_limits<T>::max()) {
    out << value << " is outside " << least << " to " << most;
  } else if (low) {
    out << value << (above ? " is not above " : " is below ") << least;
  } else {
    out << value << (below ? " is not below " : " is above ") << most;
  }
  return out.str();
}

std::string read_integer(const Json& value, const Integers& allowed, std::int64_t& result) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53: whole numbers that doubles hold exactly
  if (!value.is_number()) return misplaced(value, "an integer");
  const bool huge =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  const double number = value.get<double>();
  if (huge || (value.is_number_float() && std::abs(number) > kLargest)) {
    return value.dump() + " is too large";
  }
  if (value.is_number_float() && number != std::floor(number)) {
    return value.dump() + " is no integer";
  }
  result = value.is_number_float() ? static_cast<std::int64_t>(number) : value.get<std::int64_t>();
  return outside(result, allowed.least, allowed.most, false, false);
}

std::string read_number(const Json& value, const Numbers& allowed, double& result) {
  if (!value.is_number()) return misplaced(value, "a number");
  result = value.get<double>();
  return outside(result, allowed.least, allowed.most, allowed.least_excluded,
                 allowed.most_excluded);
}

std::string none_of(std::string_view name, std::span<const std::string_view> names) {
  std::string message = quoted(name) + " is none of ";
  for (std::size_t i = 0; i < names.size(); ++i)
    message.append(i == 0 ? "" : ", ").append(names[i]);
  return message + suggestion(name, names);
}

Json integer_schema(const Integers& allowed) {
  Json schema = {{"type", "integer"}};
  if (allowed.least != Integers{}.least) schema["minimum"] = allowed.least;
  if (allowed.most != Integers{}.most) schema["maximum"] = allowed.most;
  return schema;
}

Json number_schema(const Numbers& allowed) {
  Json schema = {{"type", "number"}};
  if (std::isfinite(allowed.least)) {
    schema[allowed.least_excluded ? "exclusiveMinimum" : "minimum"] = allowed.least;
  }
  if (std::isfinite(allowed.most)) {
    schema[allowed.most_excluded ? "exclusiveMaximum" : "maximum"] = allowed.most;
  }
  return schema;
}

// Reads one key: tells the schema, finds the value or takes the default, notes what is wrong and
// resolves. `accept` turns a given value into the result, or says what is wrong with it.
template <class T>
T read_key(Config::State& state, std::size_t node, std::string_view key, const T& fallback,
           const Json& default_value, Json schema, std::string_view about,
           const std::function<std::string(const Json&, T&)>& accept) {
  if (state.schema != nullptr) {
    schema["description"] = about;
    if (!default_value.is_null()) schema["default"] = default_value;
    for (std::optional<std::size_t> at = node; at; at = state.nodes[*at].outer) {
      state.schema->add(state.nodes[*at].pointer, key, schema);
    }
  }
  const Config::State::Value value = state.find(node, key);
  T result = fallback;
  if (value.json == nullptr) {
    if (!default_value.is_null()) state.resolve_default(node, key, default_value);
    return result;
  }
  const std::string pointer = pointer_to(state.nodes[value.node].pointer, key);
  ++state.reads[pointer];
  if (*value.json == default_value) state.standard.insert(pointer);
  const std::string wrong = accept(*value.json, result);
  if (!wrong.empty()) {
    state.note(pointer, wrong);
    return fallback;
  }
  if constexpr (std::is_same_v<T, std::int64_t>) {
    state.resolve(value.node, key, result);  // 4.0 is 4
  } else if constexpr (std::is_same_v<T, std::optional<std::int64_t>>) {
    state.resolve(value.node, key, result ? Json(*result) : *value.json);
  } else {
    state.resolve(value.node, key, *value.json);
  }
  return result;
}

}  // namespace

std::int64_t Config::integer(std::string_view key, std::int64_t fallback, const Integers& allowed,
                             std::string_view about) const {
  return read_key<std::int64_t>(*state_, node_, key, fallback, fallback, integer_schema(allowed),
                                about, [&](const Json& value, std::int64_t& result) {
                                  return read_integer(value, allowed, result);
                                });
}

std::optional<std::int64_t> Config::integer_or(std::string_view key, std::string_view word,
                                               const Integers& allowed,
                                               std::string_view about) const {
  const Json schema = {{"anyOf", {integer_schema(allowed), Json{{"const", word}}}}};
  return read_key<std::optional<std::int64_t>>(
      *state_, node_, key, std::nullopt, word, schema, about,
      [&](const Json& value, std::optional<std::int64_t>& result) -> std::string {
        if (value.is_string()) {
          if (value.get_ref<const std::string&>() == word) return {};
          return value.dump() + " is neither an integer nor " + quoted(word);
        }
        return read_integer(value, allowed, result.emplace());
      });
}

std::optional<double> Config::number_or(std::string_view key, std::string_view word,
                                        const Numbers& allowed, std::string_view about) const {
  const Json schema = {{"anyOf", {number_schema(allowed), Json{{"const", word}}}}};
  return read_key<std::optional<double>>(
      *state_, node_, key, std::nullopt, word, schema, about,
      [&](const Json& value, std::optional<double>& result) -> std::string {
        if (value.is_string()) {
          if (value.get_ref<const std::string&>() == word) return {};
          return value.dump() + " is neither a number nor " + quoted(word);
        }
        return read_number(value, allowed, result.emplace());
      });
}

double Config::number(std::string_view key, double fallback, const Numbers& allowed,
                      std::string_view about) const {
  return read_key<double>(
      *state_, node_, key, fallback, fallback, number_schema(allowed), about,
      [&](const Json& value, double& result) { return read_number(value, allowed, result); });
}

std::vector<double> Config::numbers(std::string_view key, std::span<const double> fallback,
                                    const Numbers& allowed, std::string_view about) const {
  const std::vector<double> standard(fallback.begin(), fallback.end());
  const Json schema = {{"type", "array"},
                       {"items", number_schema(allowed)},
                       {"minItems", standard.size()},
                       {"maxItems", standard.size()}};
  return read_key<std::vector<double>>(
      *state_, node_, key, standard, standard, schema, about,
      [&](const Json& value, std::vector<double>& result) -> std::string {
        if (!value.is_array()) return misplaced(value, "a list of numbers");
        if (value.size() != standard.size()) {
          return "a list of " + std::to_string(value.size()) + " where " +
                 std::to_string(standard.size()) + " numbers belong";
        }
        for (std::size_t i = 0; i < value.size(); ++i) {
          const std::string wrong = read_number(value[i], allowed, result[i]);
          if (!wrong.empty()) return wrong;
        }
        return {};
      });
}

bool Config::flag(std::string_view key, bool fallback, std::string_view about) const {
  if (state_->schema != nullptr) {
    const bool other = state_->schema->alternative(0, 2) == 1;
    return read_key<bool>(*state_, node_, key, fallback != other, fallback, {{"type", "boolean"}},
                          about, [](const Json&, bool&) { return std::string(); });
  }
  return read_key<bool>(*state_, node_, key, fallback, fallback, {}, about,
                        [](const Json& value, bool& result) -> std::string {
                          if (!value.is_boolean()) return misplaced(value, "true or false");
                          result = value.get<bool>();
                          return {};
                        });
}

std::string Config::text(std::string_view key, std::string_view fallback,
                         std::string_view about) const {
  return read_key<std::string>(*state_, node_, key, std::string(fallback), fallback,
                               {{"type", "string"}}, about,
                               [](const Json& value, std::string& result) -> std::string {
                                 if (!value.is_string()) return misplaced(value, "a text");
                                 result = value.get<std::string>();
                                 return {};
                               });
}

fs::path Config::path(std::string_view key, std::string_view about) const {
  const State::Value found = state_->find(node_, key);
  const std::string pointer =
      pointer_to(state_->nodes[found.json ? found.node : node_].pointer, key);
  if (found.json == nullptr) state_->note(pointer, "missing; give the path of a file");
  const fs::path folder = state_->overriding(pointer).empty() ? state_->folder : fs::current_path();
  const fs::path result =
      read_key<fs::path>(*state_, node_, key, {}, nullptr, {{"type", "string"}}, about,
                         [&](const Json& value, fs::path& path) -> std::string {
                           if (!value.is_string()) return misplaced(value, "the path of a file");
                           const fs::path given = path_of_text(value.get_ref<const std::string&>());
                           if (given.empty()) return "an empty path";
                           if (given.native().find('\0') != std::string::npos)
                             return "a path with a NUL character";
                           path = fs::absolute(folder / given).lexically_normal();
                           return {};
                         });
  if (!result.empty()) state_->resolve(found.node, key, text_of_path(result));
  return result;
}

std::optional<fs::path> Config::optional_path(std::string_view key, std::string_view about) const {
  if (state_->schema == nullptr && !has(key)) {
    state_->know(node_, key);
    return std::nullopt;
  }
  return path(key, about);
}

std::size_t Config::choice(std::string_view key, std::string_view fallback,
                           std::span<const std::string_view> names, std::string_view about) const {
  const auto index_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
  };
  check(index_of(fallback) < names.size(), "config: the default ", fallback, " of ", key,
        " is no choice");
  std::size_t standard = index_of(fallback);
  if (state_->schema != nullptr) standard = state_->schema->alternative(standard, names.size());
  const Json schema = {{"enum", std::vector<std::string>(names.begin(), names.end())}};
  return read_key<std::size_t>(*state_, node_, key, standard, fallback, schema, about,
                               [&](const Json& value, std::size_t& result) -> std::string {
                                 if (!value.is_string()) return misplaced(value, "a name");
                                 const auto& name = value.get_ref<const std::string&>();
                                 if (index_of(name) == names.size()) return none_of(name, names);
                                 result = index_of(name);
                                 return {};
                               });
}

std::vector<std::size_t> Config::choices(std::string_view key,
                                         std::span<const std::string_view> names,
                                         std::string_view about) const {
  const Json known = std::vector<std::string>(names.begin(), names.end());
  const Json schema = {{"type", "array"}, {"items", {{"enum", known}}}, {"uniqueItems", true}};
  return read_key<std::vector<std::size_t>>(
      *state_, node_, key, {}, Json::array(), schema, about,
      [&](const Json& value, std::vector<std::size_t>& result) -> std::string {
        if (!value.is_array()) return misplaced(value, "a list of names");
        for (const Json& item : value) {
          if (!item.is_string()) return misplaced(item, "a name");
          const auto& name = item.get_ref<const std::string&>();
          const auto index = std::ranges::find(names, name) - names.begin();
          if (index == std::ssize(names)) return none_of(name, names);
          if (std::ranges::count(value, item) > 1) return item.dump() + " is there twice";
          result.push_back(static_cast<std::size_t>(index));
        }
        return {};
      });
}

bool Config::has(std::string_view key) const {
  if (state_->schema != nullptr) return state_->schema->with_optional();
  const Json* given = state_->nodes[node_].given;
  return given != nullptr && given->contains(key);
}

std::string_view Config::if_default(std::string_view key) const {
  return state_->find(node_, key).json == nullptr ? ", the default," : "";
}

Config Config::object(std::string_view key, std::string_view about) const {
  if (state_->schema != nullptr) {
    state_->schema->add_object(state_->nodes[node_].pointer, key, about);
  }
  return {state_, state_->child(node_, key, false)};
}

Config Config::inheriting(std::string_view key, std::string_view about) const {
  if (state_->schema != nullptr) {
    state_->schema->add_object(state_->nodes[node_].pointer, key, about);
  }
  return {state_, state_->child(node_, key, true)};
}

std::vector<ConfigItem> Config::items(std::string_view key, std::span<const std::string_view> types,
                                      std::string_view about) const {
  State& state = *state_;
  state.know(node_, key);
  const std::string list = pointer_to(state.nodes[node_].pointer, key);
  std::vector<ConfigItem> items;
  if (state.schema != nullptr) {
    state.schema->add_items(state.nodes[node_].pointer, key, about, {types.begin(), types.end()});
    for (std::size_t i = 0; i < types.size() && state.schema->with_optional(); ++i) {
      if (i == 0) state.resolve(node_, key, Json::array());
      state.resolved[Json::json_pointer(list)].push_back(Json::object());
      const std::string pointer = pointer_to(list, std::to_string(i));
      items.push_back({i, Config(state_, state.node(pointer, nullptr, node_))});
    }
    return items;
  }
  if (has(key) && state.nodes[node_].given->at(std::string(key)) == Json::array()) {
    state.note(list, "an empty list; leave it out or give elements");
  }
  for (const std::size_t node : state.elements(node_, key, /*inherit=*/true)) {
    const std::string pointer = state.nodes[node].pointer;
    const Json& element = *state.nodes[node].given;
    state.know(node, "type");
    const auto type = element.find("type");
    if (type == element.end()) {
      state.note(pointer, "has no \"type\"");
    } else if (!type->is_string()) {
      state.note(pointer_to(pointer, "type"), misplaced(*type, "a name"));
    } else {
      const auto& name = type->get_ref<const std::string&>();
      const auto known = std::ranges::find(types, name);
      if (known == types.end()) {
        state.note(pointer_to(pointer, "type"), none_of(name, types));
      } else {
        state.resolve(node, "type", name);
        items.push_back({static_cast<std::size_t>(known - types.begin()), Config(state_, node)});
      }
    }
  }
  return items;
}

std::vector<Config> Config::objects(std::string_view key, std::string_view about) const {
  State& state = *state_;
  std::vector<Config> objects;
  if (state.schema != nullptr) {
    state.schema->add_objects(state.nodes[node_].pointer, key, about);
    if (!state.schema->with_optional()) return objects;
    state.resolve(node_, key, std::vector<Json>(1, Json::object()));
    const std::string first = pointer_to(pointer_to(state.nodes[node_].pointer, key), "0");
    objects.push_back(Config(state_, state.node(first, nullptr, std::nullopt)));
    return objects;
  }
  for (const std::size_t node : state.elements(node_, key, /*inherit=*/false)) {
    objects.push_back(Config(state_, node));
  }
  return objects;
}

void Config::pass_over(std::string_view key) const {
  state_->know(node_, key);
  if (state_->schema != nullptr)
    state_->schema->add(state_->nodes[node_].pointer, key, Json::object());
  const Json* given = state_->nodes[node_].given;
  if (given != nullptr && given->contains(key)) {
    state_->resolve(node_, key, given->at(std::string(key)));
  }
}

void Config::note(std::string_view key, const std::string& message) const {
  const State::Value found = state_->find(node_, key);
  const std::size_t node = found.json != nullptr ? found.node : node_;
  state_->note(pointer_to(state_->nodes[node].pointer, key), message);
}

std::string Config::place() const {
  return readable(state_->nodes[node_].pointer);
}

}  // namespace heddle
