// The options of decoding that several verbs have.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "decode/translator.h"

namespace heddle {

/// What is not given is as the model's config says.
struct SearchOptions {
  std::optional<int> beam;
  std::optional<double> length_penalty;
  std::optional<std::int64_t> max_length;
  int n_best = 1;
  bool sample = false;
  SamplingOptions sampling;

  void add_to(CLI::App& verb);
  void add_n_best_to(CLI::App& verb);
  void add_sampling_to(CLI::App& verb);
  bool any() const { return beam || length_penalty || max_length; }

  /// These, where they were given. Throws a usage error where the beam has not so many outputs.
  TranslatorOptions applied_to(TranslatorOptions options) const;
};

}  // namespace heddle
