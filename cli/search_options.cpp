#include "cli/search_options.h"

namespace heddle {

void SearchOptions::add_to(CLI::App& verb) {
  verb.add_option(
          "--beam", beam,
          "hypotheses that compete; 1 is greedy search; by default the config's decode.beam")
      ->check(CLI::Range(1, kLargestBeam));
  verb.add_option("--length-penalty", length_penalty,
                  "hypotheses compete by log-probability / tokens^this; by default the config's")
      ->check(CLI::Range(0.0, 10.0));
  verb.add_option("--max-length", max_length,
                  "tokens that an output may have; by default the config's decode.max_length")
      ->check(CLI::Range(1, 1 << 20));
}

void SearchOptions::add_n_best_to(CLI::App& verb) {
  verb.add_option("--n-best", n_best, "translations of each line, at most as many as the beam")
      ->check(CLI::Range(1, kLargestBeam));
}

TranslatorOptions SearchOptions::applied_to(TranslatorOptions options) const {
  options.beam = beam.value_or(options.beam);
  options.length_penalty = length_penalty.value_or(options.length_penalty);
  if (max_length) {
    options.limit.factor = 0.0;
    options.limit.extra = *max_length;
  }
  options.n_best = n_best;
  if (options.n_best <= options.beam) return options;
  throw CLI::ValidationError("--n-best", std::to_string(n_best) +
                                             " outputs need a beam as large: give --beam " +
                                             std::to_string(n_best));
}

}  // namespace heddle
