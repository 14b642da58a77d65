// Keys that nobody read, and what was probably meant: the name of another tool, a key that belongs
// to another section, or a slip of the pen.
#include <algorithm>
#include <vector>

#include "autograd/base/nearest.h"
#include "configs/aliases.h"
#include "configs/config_state.h"

namespace heddle {

namespace {

bool is_among(const std::vector<std::string>& keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

std::string known_list(std::vector<std::string_view> names) {
  std::ranges::sort(names);
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    list.append(i == 0 ? "; known are " : ", ").append(names[i]);
  }
  return list;
}

/// A path of keys as a JSON pointer.
std::string as_pointer(std::string_view path) {
  std::string pointer;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    pointer = pointer_to(pointer, path.substr(begin, end - begin));
    begin = end + 1;
  }
  return pointer;
}

}  // namespace

void Config::State::note_unknown() {
  note_unknown_below("", text.root);
}

void Config::State::note_unknown_below(const std::string& pointer, const Json& value) {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      note_unknown_below(pointer_to(pointer, std::to_string(i)), value[i]);
    }
  }
  const auto keys = known.find(pointer);
  if (!value.is_object() || keys == known.end()) return;
  for (const auto& [key, element] : value.items()) {
    const std::string place = pointer_to(pointer, key);
    if (is_among(keys->second, key)) {
      note_unknown_below(place, element);
    } else if (const auto why = unread.find(place); why != unread.end()) {
      note(place, "has no effect: " + why->second, /*at_key=*/true);
    } else if (place != "/$schema") {
      note(place, "unknown key" + hint_for(pointer, key, element), /*at_key=*/true);
    }
  }
}

std::string Config::State::hint_for(const std::string& object, const std::string& key,
                                    const Json& value) const {
  const std::vector<std::string>& keys = known.at(object);
  const std::string alias = alias_of(object, key, value);
  if (!alias.empty()) return "; did you mean \"" + alias + "\"?";
  const std::string other = elsewhere(key, value);
  if (!other.empty()) return other;
  const std::vector<std::string_view> names(keys.begin(), keys.end());
  const std::string near = suggestion(key, names);
  return near.empty() ? known_list(names) : near;
}

// The key that has this name in another tool: of this object, where it inherits from the key's.
std::string Config::State::alias_of(const std::string& object, const std::string& key,
                                    const Json& value) const {
  const std::string_view path = key_of_alias(key);
  if (path.empty()) return {};
  std::string target = as_pointer(path);
  const std::string section = target.substr(0, target.rfind('/'));
  if (!known.contains(section)) return {};
  const std::string_view last = path.substr(path.rfind('.') + 1);
  if (object.starts_with(section + "/") && is_among(known.at(object), last)) {
    target = pointer_to(object, last);
  }
  // A section is named by its type where no more was given.
  const auto inside = known.find(target);
  const bool has_type = inside != known.end() && is_among(inside->second, "type");
  return readable(target) + (has_type && !value.is_object() ? ".type" : "");
}

// The outermost sections that know the key.
std::string Config::State::elsewhere(const std::string& key, const Json& value) const {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> places;
  std::ptrdiff_t least = 64;
  if (key == "type" || key == "$schema") return {};
  for (const auto& [pointer, keys] : known) {
    const std::ptrdiff_t depth = std::ranges::count(pointer, '/');
    if (!is_among(keys, key) || depth > least) continue;
    if (depth < least) places.clear();
    least = depth;
    const std::string place = pointer_to(pointer, key);
    const auto inside = known.find(place);
    if ((inside != known.end()) == value.is_object()) {
      places.push_back("\"" + readable(place) + "\"");
    } else if (inside != known.end() && is_among(inside->second, "type")) {
      places.push_back("\"" + readable(place) + ".type\"");
    }
  }
  if (places.empty()) return {};
  std::string hint = "; did you mean ";
  for (std::size_t i = 0; i < std::min(kMost, places.size()); ++i) {
    hint.append(i == 0 ? "" : " or ").append(places[i]);
  }
  return hint + (least == 0 && places.size() == 1 && hint.find('.') == hint.npos
                     ? ", outside of any section?"
                     : "?");
}

}  // namespace heddle
