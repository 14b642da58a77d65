// JSON text with comments, and where in it everything stands.
//
// nlohmann/json keeps no source positions and silently keeps the last of duplicate keys. So the
// text is read by one SAX pass over an iterator that counts: every event tells how far the parser
// got, and the token began behind the blanks and comments that follow the one before.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

/// Line and column (in characters), both from 1.
struct TextPlace {
  int line = 1;
  int column = 1;

  friend auto operator<=>(const TextPlace&, const TextPlace&) = default;
};

/// What was read from text. Places are found by JSON pointer: "/model/encoder/block/0".
struct JsonText {
  Json root;
  std::map<std::string, TextPlace, std::less<>> keys;    // where the key of a value begins
  std::map<std::string, TextPlace, std::less<>> values;  // where the value begins
};

/// Throws ConfigError, `name:line:column: what`, for text that is no JSON, nests deeper than 64,
/// repeats a key, or is larger than configs are: 1 MiB, 10,000 values, 1,000 bytes of keys to each.
JsonText read_json_value(std::string_view text, const std::string& name);
/// The same, also for text that is no object.
JsonText read_json_text(std::string_view text, const std::string& name);

/// `path` / `key` as a JSON pointer.
std::string pointer_to(const std::string& path, std::string_view key);

/// The keys and numbers of a JSON pointer, unescaped.
std::vector<std::string> steps_of(const std::string& pointer);

/// A JSON pointer as people write it: "model.encoder.block[0]".
std::string readable(const std::string& pointer);

}  // namespace heddle
