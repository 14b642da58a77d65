// The options of decoding that several verbs have.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "decode/translator.h"

namespace heddle {

struct SearchOptions {
  std::optional<int> beam;               // else as the model's config says
  std::optional<double> length_penalty;  // the same
  int n_best = 1;

  void add_to(CLI::App& verb);
  void add_n_best_to(CLI::App& verb);

  /// These, where they were given. Throws a usage error where the beam has not so many outputs.
  TranslatorOptions applied_to(TranslatorOptions options) const;
};

}  // namespace heddle
