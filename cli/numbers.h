// Options that take a number: the only way in which verbs read one.
//
// The whole word must be a decimal number that the type holds and that lies between the bounds.
// Anything else is a usage error with the option's name: a number that is too large for its type, a
// minus sign where there is no negative value, nan and inf, text after the number.
#pragma once

#include <CLI/CLI.hpp>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace heddle {

/// Throws CLI::ValidationError unless `word` is a number from `least` to `most`.
std::int64_t number_of(const std::string& option, const std::string& word, std::int64_t least,
                       std::int64_t most);
std::uint64_t number_of(const std::string& option, const std::string& word, std::uint64_t least,
                        std::uint64_t most);
double number_of(const std::string& option, const std::string& word, double least, double most);

/// What --help says about such a number: "N, 1 to 256".
std::string about_number(std::int64_t least, std::int64_t most);
std::string about_number(std::uint64_t least, std::uint64_t most);
std::string about_number(double least, double most);

namespace numbers {

template <class T>
struct Plain {
  using type = T;
};
template <class T>
struct Plain<std::optional<T>> {
  using type = T;
};
template <class Value>
using Number = typename Plain<Value>::type;
/// What its text is read as.
template <class T>
using Wide =
    std::conditional_t<std::floating_point<T>, double,
                       std::conditional_t<std::signed_integral<T>, std::int64_t, std::uint64_t>>;

}  // namespace numbers

/// An option for a number from `least` to `most`, both included. `value` is a number or an optional
/// one, and must live until the command line has been read.
template <class Value>
CLI::Option* add_number(CLI::App& verb, const std::string& name, Value& value,
                        std::type_identity_t<numbers::Number<Value>> least,
                        std::type_identity_t<numbers::Number<Value>> most,
                        const std::string& about) {
  using Number = numbers::Number<Value>;
  using Wide = numbers::Wide<Number>;
  const auto read = [&value, name, least, most](const std::string& word) {
    value = static_cast<Number>(number_of(name, word, Wide{least}, Wide{most}));
  };
  return verb.add_option_function<std::string>(name, read, about)
      ->type_name(about_number(Wide{least}, Wide{most}));
}

}  // namespace heddle
