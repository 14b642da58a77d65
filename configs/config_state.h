// What a ConfigDocument and its views share. Internal to this folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "configs/config.h"
#include "configs/json_text.h"
#include "configs/schema_notes.h"

namespace heddle {

/// An object of the document, by JSON pointer; and which one it inherits from.
struct ConfigNode {
  std::string pointer;
  const Json* given = nullptr;  // null: not in the file
  std::optional<std::size_t> outer;
};

struct Config::State {
  std::string name;                               // of the file, in messages
  std::filesystem::path folder;                   // that relative paths start from
  JsonText text;                                  // with overrides applied
  std::map<std::string, std::string> overridden;  // pointer -> "--set a.b=c"

  std::vector<ConfigNode> nodes;
  std::map<std::string, std::vector<std::string>> known;  // pointer of an object -> its known keys
  Json resolved = Json::object();
  struct Default {
    std::size_t node;
    std::string key;
    Json value;
  };
  std::vector<Default> defaults;  // that were read
  SchemaNotes* schema = nullptr;  // set while a reader is only described

  struct Found {
    bool overridden;  // those come last
    TextPlace place;
    std::string message;
  };
  std::vector<Found> errors;

  std::map<std::string, int> reads;  // pointer of a given value -> how often it was read
  std::set<std::string> standard;    // pointers of given values that are their defaults
  struct Idle {
    int readers = 0;
    std::string why;
  };
  std::map<std::string, Idle> idle;           // pointer of a given value -> who cannot use it
  std::map<std::string, std::string> unread;  // pointer of a given value -> why nobody may read it

  std::size_t node(const std::string& pointer, const Json* given, std::optional<std::size_t> outer);
  std::size_t child(std::size_t parent, std::string_view key, bool inherits);

  /// The objects of a list, where it is given; whatever else it holds is noted.
  std::vector<std::size_t> elements(std::size_t parent, std::string_view key, bool inherit);

  /// A value, and the node that has it.
  struct Value {
    const Json* json = nullptr;  // null: not given
    std::size_t node = 0;
  };
  /// Looks the key up along the chain and makes it known at every level.
  Value find(std::size_t node, std::string_view key);
  void know(std::size_t node, std::string_view key);

  /// Writes into the resolved config.
  void resolve(std::size_t node, std::string_view key, const Json& value);
  /// The same for a default: at the outermost object, where nothing else is in the way.
  void resolve_default(std::size_t node, std::string_view key, const Json& value);

  /// Writes defaults where they would be shadowed by others that were written further in.
  void settle_defaults();

  /// The override that set this value or an object around it, "--set a.b=c"; else empty.
  std::string overriding(const std::string& pointer) const;

  /// A place in messages, "file:line:column" or "--set a.b=c".
  Found found_at(const std::string& pointer, bool at_key) const;
  /// Notes an error at a value, or at a key where `at_key`; where it is not given, at the innermost
  /// object around it that is.
  void note(const std::string& pointer, const std::string& message, bool at_key = false);
  /// The keys that nobody read.
  void note_unknown();
  /// The keys whose values no reader can use.
  std::vector<Found> idle_keys() const;

 private:
  void note_unknown_below(const std::string& pointer, const Json& value);
  std::string hint_for(const std::string& object, const std::string& key, const Json& value) const;
  std::string alias_of(const std::string& object, const std::string& key, const Json& value) const;
  std::string elsewhere(const std::string& key, const Json& value) const;
  Json& resolved_object(const std::string& pointer);
};

/// Orders errors as they stand in the file, then those of overrides.
void sort_errors(std::vector<Config::State::Found>& errors);

/// What an error says of a value of the wrong type: "a text where an integer belongs".
std::string misplaced(const Json& value, const char* wanted);

/// Applies "a.b=value" overrides to the text. Throws ConfigError with all that cannot be applied.
void apply_overrides(Config::State& state, std::span<const std::string> overrides);

/// A new, empty document, and its root.
std::shared_ptr<Config::State> new_config_state();
Config root_of(const std::shared_ptr<Config::State>& state);

}  // namespace heddle
