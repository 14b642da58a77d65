// What other tools call the keys of a config, for "did you mean ...?".
#pragma once

#include <span>
#include <string_view>

namespace heddle {

struct Alias {
  std::string_view name;  // in lower case, with _ between words
  std::string_view key;   // here, by its whole path: "schedule.learning_rate"
};

/// The names of PyTorch, Hugging Face, fairseq, OpenNMT, Marian and JoeyNMT. None is a key here.
std::span<const Alias> aliases();

/// The key that has this name elsewhere; empty where none does. Case does not matter, and - is _.
std::string_view key_of_alias(std::string_view name);

}  // namespace heddle
