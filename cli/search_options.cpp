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
  verb.add_option(
          "--n-best", n_best,
          "translations of each line, at most as many as the beam; with --sample as many draws")
      ->check(CLI::Range(1, kLargestBeam));
}

void SearchOptions::add_sampling_to(CLI::App& verb) {
  CLI::Option* const wanted =
      verb.add_flag("--sample", sample, "draw translations at random instead of searching");
  wanted->excludes("--beam");
  verb.add_option("--temperature", sampling.temperature,
                  "with --sample: below 1 likely tokens become likelier")
      ->check(CLI::Range(0.01, 100.0))
      ->needs(wanted);
  verb.add_option("--top-k", sampling.top_k, "with --sample: of the K likeliest tokens only")
      ->check(CLI::Range(1, 1 << 30))
      ->needs(wanted);
  verb.add_option("--top-p", sampling.top_p,
                  "with --sample: of the fewest tokens that together have this probability")
      ->check(CLI::Range(0.001, 1.0))
      ->needs(wanted);
  verb.add_option("--seed", sampling.seed,
                  "with --sample: each line draws by the seed and its number")
      ->needs(wanted);
}

TranslatorOptions SearchOptions::applied_to(TranslatorOptions options) const {
  options.beam = beam.value_or(options.beam);
  options.length_penalty = length_penalty.value_or(options.length_penalty);
  if (max_length) {
    options.limit.factor = 0.0;
    options.limit.extra = *max_length;
  }
  options.n_best = n_best;
  if (sample) {
    options.sampling = sampling;
    return options;
  }
  if (options.n_best <= options.beam) return options;
  throw CLI::ValidationError("--n-best", std::to_string(n_best) +
                                             " outputs need a beam as large: give --beam " +
                                             std::to_string(n_best));
}

}  // namespace heddle
