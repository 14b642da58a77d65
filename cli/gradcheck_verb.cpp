// heddle gradcheck: are the gradients of this config's model right? In float64, against central
// differences: every parameter of a small model of the same structure, then the model itself along
// random directions.
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "autograd/base/parallel.h"
#include "cli/numbers.h"
#include "cli/scaled_down.h"
#include "cli/standard_error.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "layers/model_check.h"
#include "train/learner.h"

namespace heddle {

namespace {

constexpr const char* kAboutGradcheck = R"(Example: heddle gradcheck configs/tiny.json

Checks the gradients of a config's model against central differences.

In float64: each parameter of a small model with the same structure (a line for each, then the
worst), then the full model along random directions. Exit code 6 where one is wrong.)";

struct GradcheckArguments {
  std::string file;
  std::vector<std::string> overrides;
  std::int32_t vocabulary = 1000;
  int directions = 4;
  int threads = available_threads();
};

constexpr Vocabulary kSmallVocabulary{11};

/// Sentences of uneven lengths, none longer than `most` tokens.
struct Lengths {
  std::vector<std::int32_t> source = {3, 1, 4}, target = {2, 5, 1};

  explicit Lengths(std::int32_t most) {
    for (auto* lengths : {&source, &target}) {
      for (std::int32_t& length : *lengths) length = std::min(length, most);
    }
  }
};

/// The object "model" of a valid config, with `vocabulary`; the resolved config.
std::string checked(const ConfigDocument& document, const Vocabulary& vocabulary,
                    ConfigDocument::IdleKeys idle = ConfigDocument::IdleKeys::kRefuse) {
  read_whole_config(document.root(), {vocabulary, vocabulary});
  document.finish(idle);
  return document.resolved();
}

GradcheckOptions options_of(const GradcheckArguments& arguments) {
  GradcheckOptions options;
  options.threads = arguments.threads;
  return options;
}

bool check_small_model(const GradcheckArguments& arguments, const std::string& resolved) {
  const ConfigDocument small = ConfigDocument::parse(scaled_down(resolved), "the small model");
  checked(small, kSmallVocabulary, ConfigDocument::IdleKeys::kAccept);  // it has other numbers
  const Lengths lengths(longest_sentence(resolved));
  const GradcheckReport report = check_model_gradients(
      "the small model", small.root().object("model", ""), {kSmallVocabulary, kSmallVocabulary},
      lengths.source, lengths.target, options_of(arguments));
  for (const GradcheckParameter& p : report.parameters) {
    fmt::print("{:<55} {:>6} checked  {:>3} failed  {:.1e}\n", p.name, p.checked, p.failed,
               p.relative_error);
  }
  for (const GradcheckCoordinate& c : report.failures) {
    fmt::print("failed: {}[{}] analytic {:.10g}, numeric {:.10g}\n", c.parameter, c.index,
               c.analytic, c.numeric);
  }
  if (report.kinked > 0) {
    fmt::print("{} of {} values are at a kink and were not compared\n", report.kinked,
               report.checked);
  }
  fmt::print("worst of the small model: {:.1e} at {}[{}], allowed {:.0e}: {}\n",
             report.worst.relative_error, report.worst.parameter, report.worst.index,
             GradcheckOptions{}.relative, report.passed() ? "passed" : "FAILED");
  return report.passed();
}

bool check_full_model(const GradcheckArguments& arguments, const Config& model,
                      const Lengths& lengths) {
  const Vocabulary vocabulary{arguments.vocabulary};
  ModelUnderCheck under_check(model, {vocabulary, vocabulary}, lengths.source, lengths.target);
  print_to_stderr("checking the full model, {:.1f} million parameters, along {} directions\n",
                  static_cast<double>(under_check.store().elements()) * 1e-6, arguments.directions);
  const auto loss = [&](Context& context) { return under_check(context); };
  const GradcheckDirections found =
      gradcheck_directions(under_check.store(), loss, arguments.directions, options_of(arguments));
  for (std::size_t i = 0; i < found.directions.size(); ++i) {
    const GradcheckDirection& d = found.directions[i];
    fmt::print("direction {}: analytic {:.10g}, numeric {:.10g}, {:.1e}\n", i + 1, d.analytic,
               d.numeric, d.relative_error);
  }
  fmt::print("worst of the full model: {:.1e}, allowed {:.0e}: {}\n", found.worst(),
             GradcheckDirections::kBound, found.passed() ? "passed" : "FAILED");
  return found.passed();
}

void run_gradcheck(const GradcheckArguments& arguments) {
  const ConfigDocument document = ConfigDocument::read(arguments.file, arguments.overrides);
  const std::string resolved = checked(document, {arguments.vocabulary});
  bool passed = check_small_model(arguments, resolved);
  if (arguments.directions > 0) {
    passed = check_full_model(arguments, document.root().object("model", ""),
                              Lengths(longest_sentence(resolved))) &&
             passed;
  }
  if (!passed) throw CLI::RuntimeError(kNumeric);
}

}  // namespace

void add_gradcheck(CLI::App& app) {
  const auto arguments = std::make_shared<GradcheckArguments>();
  CLI::App* verb = app.add_subcommand("gradcheck", kAboutGradcheck);
  verb->add_option("CONFIG", arguments->file, "a JSON file")->required();
  verb->add_option("--set", arguments->overrides, "KEY=VALUE: replaces one value, as model.heads=8")
      ->allow_extra_args(false);
  add_number(*verb, "--vocabulary", arguments->vocabulary, Vocabulary::kSmallest, 1 << 24,
             "ids of the full model, 1000 by default");
  add_number(*verb, "--directions", arguments->directions, 0, 1000,
             "random directions of the full model, 4 by default; 0: small model only");
  add_threads(*verb, arguments->threads);
  verb->callback([=] { run_gradcheck(*arguments); });
}

}  // namespace heddle
