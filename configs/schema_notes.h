// What readers say about keys while a schema is made. Internal to this folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "configs/json_text.h"

namespace heddle {

class SchemaNotes {
 public:
  /// Which of `count` alternatives to take in this round, beginning with `first`. Rounds come in
  /// pairs, the first without optional lists and the second with them.
  std::size_t alternative(std::size_t first, std::size_t count) {
    most_alternatives_ = std::max(most_alternatives_, count);
    return (first + round_ / 2) % count;
  }
  bool with_optional() const { return round_ % 2 == 1; }

  /// The schema of `key` in the object at `pointer`. Rounds that differ are merged.
  void add(const std::string& pointer, std::string_view key, const Json& schema);
  /// That `key` is an object, or a list of objects with these types.
  void add_object(const std::string& pointer, std::string_view key, std::string_view about);
  void add_items(const std::string& pointer, std::string_view key, std::string_view about,
                 std::vector<std::string> types);
  /// The same for a list of objects that need no type.
  void add_objects(const std::string& pointer, std::string_view key, std::string_view about);

  /// Whether another round may still show something new; begins it.
  bool next_round();

  /// The schema of the object at `pointer`.
  Json object_schema(const std::string& pointer) const;

 private:
  struct Entry {
    Json schema;
    std::vector<std::string> types;  // of items
    bool object = false;
    bool objects = false;  // a list of them
  };
  struct Object {
    std::vector<std::string> order;
    std::map<std::string, Entry, std::less<>> entries;
  };
  Entry& entry(const std::string& pointer, std::string_view key);

  std::map<std::string, Object> objects_;
  std::size_t round_ = 0;
  std::size_t most_alternatives_ = 2;
  std::size_t last_news_ = 0;  // the round in which something new was seen
};

}  // namespace heddle
