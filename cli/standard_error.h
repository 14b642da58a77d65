// What is said to people beside the results. That nobody can hear it is no reason to fail.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <utility>

namespace heddle {

/// Prints to standard error as fmt::print() does, but never throws where that is closed or full.
template <class... Values>
void print_to_stderr(fmt::format_string<Values...> format, Values&&... values) {
  const std::string text = fmt::format(format, std::forward<Values>(values)...);
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace heddle
