// The option --threads, which all verbs that compute have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "cli/numbers.h"

namespace heddle {

inline constexpr std::int64_t kMostThreads = 1024;

/// The number that `word` gives. Throws CLI::ValidationError unless it is one from 1 to
/// kMostThreads; warns of more threads than processors.
int threads_of(const std::string& word);

/// Adds --threads. `value` is an integer or an optional one, and must live until the command line
/// has been read.
template <class Value>
CLI::Option* add_threads(CLI::App& verb, Value& value) {
  const auto read = [&value](const std::string& word) { value = threads_of(word); };
  return verb
      .add_option_function<std::string>("--threads", read, "threads, by default all processors")
      ->type_name(about_number(std::int64_t{1}, kMostThreads));
}

}  // namespace heddle
