#include "cli/numbers.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <system_error>

namespace heddle {

namespace {

template <class T>
constexpr const char* kKind = std::floating_point<T> ? "a number" : "an integer";

template <class T>
T read_number(const std::string& option, const std::string& word, T least, T most) {
  std::string_view digits = word;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  T value{};
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value);
  // A comparison with what is not a number is false.
  const bool fits = error == std::errc() && rest == end && value >= least && value <= most;
  if (fits) return value;
  throw CLI::ValidationError(option,
                             fmt::format("expected {} from {} to {}, got {}", kKind<T>, least, most,
                                         word.empty() ? "an empty word" : word));
}

}  // namespace

std::int64_t number_of(const std::string& option, const std::string& word, std::int64_t least,
                       std::int64_t most) {
  return read_number(option, word, least, most);
}

std::uint64_t number_of(const std::string& option, const std::string& word, std::uint64_t least,
                        std::uint64_t most) {
  return read_number(option, word, least, most);
}

double number_of(const std::string& option, const std::string& word, double least, double most) {
  return read_number(option, word, least, most);
}

std::string about_number(std::int64_t least, std::int64_t most) {
  return fmt::format("N, {} to {}", least, most);
}

std::string about_number(std::uint64_t least, std::uint64_t most) {
  return fmt::format("N, {} to {}", least, most);
}

std::string about_number(double least, double most) {
  return fmt::format("X, {} to {}", least, most);
}

}  // namespace heddle
