// A typed view of a JSON configuration.
//
//   ConfigDocument document = ConfigDocument::read("tiny.json", {"model.heads=8"});
//   const Config model = document.root().object("model", "The Transformer.");
//   const auto heads = model.integer("heads", 8, {1, 1024}, "Attention heads.");
//   document.finish();  // throws ConfigError with everything that is wrong
//
// A component reads its own keys, with their defaults, in its constructor. Reading does not throw:
// what is wrong is noted and the default is returned, so that one run reports every error. What was
// read is what is known: any other key is an error, the resolved config holds exactly what was
// read, and the JSON Schema (schema.h) is what the same calls describe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/check.h"

namespace heddle {

/// Everything that is wrong with a config: a line for each error,
/// `file:line:column: json.path: what`.
class ConfigError : public Error {
  using Error::Error;
};

/// The integers that a key allows, both ends included.
struct Integers {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

/// The finite numbers that a key allows, both ends included unless excluded.
struct Numbers {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool least_excluded = false;
  bool most_excluded = false;

  static constexpr Numbers positive() { return {.least = 0.0, .least_excluded = true}; }
  /// [0, 1): of dropout.
  static constexpr Numbers probability() {
    return {.least = 0.0, .most = 1.0, .most_excluded = true};
  }
};

/// One entry of a table of choices: what a config calls it, and what it stands for.
template <class T>
struct Named {
  std::string_view name;
  T value;
};

class Config;

/// One element of a list whose elements say by "type" what they are.
struct ConfigItem;

/// An object of the document, or one that is not there: then every key has its default. Cheap to
/// copy; the document must outlive it. `about` is one sentence for the schema.
class Config {
 public:
  struct State;  // of the document

  /// 4.0 is an integer, too.
  std::int64_t integer(std::string_view key, std::int64_t fallback, const Integers& allowed,
                       std::string_view about) const;
  /// An integer, or the `word` that stands for no number and is the default ("auto").
  std::optional<std::int64_t> integer_or(std::string_view key, std::string_view word,
                                         const Integers& allowed, std::string_view about) const;
  double number(std::string_view key, double fallback, const Numbers& allowed,
                std::string_view about) const;
  /// A number, or the `word` that stands for none and is the default.
  std::optional<double> number_or(std::string_view key, std::string_view word,
                                  const Numbers& allowed, std::string_view about) const;
  /// A list of as many numbers as `fallback` has.
  std::vector<double> numbers(std::string_view key, std::span<const double> fallback,
                              const Numbers& allowed, std::string_view about) const;
  bool flag(std::string_view key, bool fallback, std::string_view about) const;
  std::string text(std::string_view key, std::string_view fallback, std::string_view about) const;
  /// A path that must be given, relative to the file of the config (set on the command line: to
  /// the current folder); absolute in the result and in the resolved config.
  std::filesystem::path path(std::string_view key, std::string_view about) const;
  /// The same for a path that may be left out.
  std::optional<std::filesystem::path> optional_path(std::string_view key,
                                                     std::string_view about) const;
  /// The index of one of `names`.
  std::size_t choice(std::string_view key, std::string_view fallback,
                     std::span<const std::string_view> names, std::string_view about) const;
  /// The indices of some of `names`, without repetition, in the order of the list; by default none.
  std::vector<std::size_t> choices(std::string_view key, std::span<const std::string_view> names,
                                   std::string_view about) const;
  /// The value of the entry of `table` that the key names.
  template <class T, std::size_t N>
  const T& choice(std::string_view key, std::string_view fallback, const Named<T> (&table)[N],
                  std::string_view about) const;

  /// Whether this object itself has the key. Does not make it known.
  bool has(std::string_view key) const;
  /// What a message says behind the value of a key that the user never set: ", the default,"; else
  /// nothing.
  std::string_view if_default(std::string_view key) const;
  /// The object under `key`.
  Config object(std::string_view key, std::string_view about) const;
  /// The same, but what it lacks is read from this object: numbers, flags, texts and choices;
  /// never objects and lists.
  Config inheriting(std::string_view key, std::string_view about) const;
  /// A list of objects, each with a "type" from `types`; they inherit from this object. Empty where
  /// the key is not there; an empty list is an error.
  std::vector<ConfigItem> items(std::string_view key, std::span<const std::string_view> types,
                                std::string_view about) const;
  /// A list of objects that need no "type" and inherit nothing. Empty where the key is not there.
  std::vector<Config> objects(std::string_view key, std::string_view about) const;
  /// Makes a key known whose value another reader reads.
  void pass_over(std::string_view key) const;

  /// Says, after reading `key`, that its value has no effect together with the other settings, and
  /// why: an error where it is given with another value than its default and all who read it say
  /// so. See ConfigDocument::finish().
  template <class... Parts>
  void idle(std::string_view key, const Parts&... parts) const {
    note_idle(key, message_of({MessagePart(parts)...}));
  }
  /// Says why `key` is not read with these settings: shown where nobody reads it.
  template <class... Parts>
  void unread(std::string_view key, const Parts&... parts) const {
    note_unread(key, message_of({MessagePart(parts)...}));
  }

  /// Notes an error at `key`, whether it was given or is a default.
  template <class... Parts>
  void error(std::string_view key, const Parts&... parts) const {
    note(key, message_of({MessagePart(parts)...}));
  }

  /// The place of this object: "model.encoder"; empty at the root.
  std::string place() const;

 private:
  friend class ConfigDocument;
  friend Config root_of(const std::shared_ptr<State>& state);
  Config(std::shared_ptr<State> state, std::size_t node) : state_(std::move(state)), node_(node) {}
  void note(std::string_view key, const std::string& message) const;
  void note_idle(std::string_view key, const std::string& why) const;
  void note_unread(std::string_view key, const std::string& why) const;

  std::shared_ptr<State> state_;
  std::size_t node_ = 0;
};

struct ConfigItem {
  std::size_t type;  // index into `types`
  Config config;
};

/// A config as it was written.
struct ConfigText {
  std::string text;
  std::string name;              // of the file, in messages
  std::filesystem::path folder;  // that relative paths start from

  /// Reads a file or a pipe. A pipe can be read only once, and its relative paths start from the
  /// current folder. Throws ConfigError if it cannot be read.
  static ConfigText read(const std::filesystem::path& file);
};

/// A config file with its overrides.
class ConfigDocument {
 public:
  /// Reads a file; comments are allowed. Each override is "a.b=value", as after --set: the value is
  /// JSON, or else a text; numbers in the path index lists. Throws ConfigError for a file that
  /// cannot be read or is no JSON, for duplicate keys, and for overrides that cannot be applied.
  static ConfigDocument read(const std::filesystem::path& file,
                             std::span<const std::string> overrides = {});
  /// The same from text; `name` stands in messages, relative paths start from its folder.
  static ConfigDocument parse(std::string_view text, const std::string& name,
                              std::span<const std::string> overrides = {});
  static ConfigDocument parse(const ConfigText& text, std::span<const std::string> overrides = {});

  Config root() const;

  /// What to do with keys that have no effect. A config that was accepted before, of a checkpoint
  /// or a run that is resumed, may have some.
  enum class IdleKeys { kRefuse, kAccept };

  /// Throws ConfigError with all errors noted so far, all keys that nobody read and, unless they
  /// are accepted, all keys that have no effect.
  void finish(IdleKeys idle = IdleKeys::kRefuse) const;
  /// A sentence for each key that has no effect, as finish() would throw it.
  std::vector<std::string> idle_keys() const;

  /// What was read, defaults included, as JSON text: reading it gives the same values.
  std::string resolved() const;

 private:
  explicit ConfigDocument(std::shared_ptr<Config::State> state) : state_(std::move(state)) {}
  std::shared_ptr<Config::State> state_;
};

template <class T, std::size_t N>
const T& Config::choice(std::string_view key, std::string_view fallback, const Named<T> (&table)[N],
                        std::string_view about) const {
  std::string_view names[N];
  for (std::size_t i = 0; i < N; ++i) names[i] = table[i].name;
  return table[choice(key, fallback, std::span<const std::string_view>(names), about)].value;
}

}  // namespace heddle
