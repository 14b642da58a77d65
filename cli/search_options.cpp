#include "cli/search_options.h"

#include <limits>

#include "cli/numbers.h"

namespace heddle {

void SearchOptions::add_to(CLI::App& verb) {
  add_number(verb, "--beam", beam, 1, kLargestBeam,
             "hypotheses that compete; 1 is greedy search; by default the config's decode.beam");
  add_number(verb, "--length-penalty", length_penalty, 0.0, 10.0,
             "hypotheses compete by log-probability / tokens^this; by default the config's");
  add_number(verb, "--max-length", max_length, 1, 1 << 20,
             "tokens that an output may have; by default the config's decode.max_length");
}

void SearchOptions::add_n_best_to(CLI::App& verb) {
  add_number(verb, "--n-best", n_best, 1, kLargestBeam,
             "translations of each line, at most as many as the beam; with --sample as many draws");
}

void SearchOptions::add_sampling_to(CLI::App& verb) {
  CLI::Option* const wanted =
      verb.add_flag("--sample", sample, "draw translations at random instead of searching");
  wanted->excludes("--beam");
  add_number(verb, "--temperature", sampling.temperature, 0.01, 100.0,
             "with --sample: below 1 likely tokens become likelier")
      ->needs(wanted);
  add_number(verb, "--top-k", sampling.top_k, 1, 1 << 30,
             "with --sample: of the K likeliest tokens only")
      ->needs(wanted);
  add_number(verb, "--top-p", sampling.top_p, 0.001, 1.0,
             "with --sample: of the fewest tokens that together have this probability")
      ->needs(wanted);
  add_number(verb, "--seed", sampling.seed, 0, std::numeric_limits<std::uint64_t>::max(),
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
