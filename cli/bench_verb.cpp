// heddle bench: how fast does a model train on this machine, and where does the time go?
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "autograd/base/parallel.h"
#include "cli/bench_batch.h"
#include "cli/bench_decode.h"
#include "cli/bench_report.h"
#include "cli/bench_shapes.h"
#include "cli/numbers.h"
#include "cli/standard_error.h"
#include "cli/text_streams.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "train/learner.h"

namespace heddle {

namespace {

constexpr const char* kAboutBench = R"(Example: heddle bench --shape tiny

Times training updates on random sentences, and what they spend their time on.

With the model and the optimizer of a config, or with one of three models known by name. Target
tokens per second are the median of the timed updates; GEMM share is the time that the update's
matrix products take alone, by the time of the update.

With --decode MODEL --source FILE: times translating, in output tokens and sentences per second.)";

struct BenchArguments {
  std::string file, shape;
  std::string decode, source;  // a model and what it translates
  SearchOptions search;
  std::vector<std::string> overrides;
  std::optional<int> threads, lanes;
  std::optional<std::int32_t> sentences, length, vocabulary;
  int updates = 10;
  std::string trace;
  bool json = false, profile = false;
};

ConfigDocument read(const BenchArguments& arguments) {
  if (arguments.shape.empty()) return ConfigDocument::read(arguments.file, arguments.overrides);
  return ConfigDocument::parse(bench_shape(arguments.shape).config, "--shape " + arguments.shape,
                               arguments.overrides);
}

BenchSentences sentences_of(const BenchArguments& arguments) {
  BenchSentences sentences;
  if (!arguments.shape.empty()) sentences = bench_shape(arguments.shape).sentences;
  sentences.count = arguments.sentences.value_or(sentences.count);
  sentences.length = arguments.length.value_or(sentences.length);
  sentences.vocabulary = arguments.vocabulary.value_or(sentences.vocabulary);
  return sentences;
}

// Learned positions are as many as the config says.
void check_length(const Transformer& transformer, std::int32_t length) {
  const std::int64_t longest = std::min(transformer.longest_source(), transformer.longest_target());
  if (length <= longest) return;
  throw CLI::ValidationError(
      "--length", fmt::format("{} tokens, but the model has {} positions", length, longest));
}

BenchReport measure(const BenchArguments& arguments) {
  BenchReport report;
  report.shape = arguments.shape.empty() ? arguments.file : arguments.shape;
  report.sentences = sentences_of(arguments);
  report.threads = arguments.threads.value_or(available_threads());
  report.lanes = arguments.lanes.value_or(report.threads);
  report.updates = arguments.updates;

  const ConfigDocument document = read(arguments);
  const Vocabulary vocabulary{report.sentences.vocabulary + 1};  // and the start, no class
  const Settings settings(document.root());
  Learner learner(document.root(), settings, {vocabulary, vocabulary});
  check_memory(document.root(), learner.store);
  document.finish();
  check_length(learner.transformer, report.sentences.length);
  learner.store.allocate();
  learner.store.initialise(settings.seed);
  learner.optimizer.allocate();
  report.parameters = learner.store.elements();

  const BenchBatch batch(report.sentences, vocabulary, report.lanes, settings.train.lane_tokens);
  Lanes lanes(learner.transformer, learner.store,
              {report.lanes, report.threads, settings.train.label_smoothing});
  UpdateTimingOptions options;
  options.clip_norm = settings.train.clip_norm;
  options.updates = report.updates;
  options.threads = report.threads;
  const auto say = [](std::string_view what) { print_to_stderr("{}\n", what); };
  report.timing = measure_updates(lanes, learner.optimizer, batch.micro_batches(), options, say);
  return report;
}

void run_decode(const BenchArguments& arguments) {
  if (arguments.source.empty()) throw CLI::RequiredError("--source");
  const DecodeReport report = bench_decode(arguments.decode, arguments.source, arguments.search,
                                           arguments.threads.value_or(available_threads()));
  fmt::print("{}", arguments.json ? report.json() : report.text());
}

void run_bench(const BenchArguments& arguments) {
  InputFiles inputs;
  inputs.add("CONFIG", arguments.file);
  std::optional<Output> trace;  // which cannot be written is said before the work
  if (!arguments.trace.empty()) trace.emplace("--trace", arguments.trace, inputs);
  const BenchReport report = measure(arguments);
  if (trace) {
    trace->write(trace_text(report.timing.profile));
    trace->finish();
  }
  fmt::print("{}", arguments.json ? report.json() : report.text());
  if (arguments.profile && !arguments.json) fmt::print("{}", operation_text(report.timing.profile));
}

/// What only updates have.
std::vector<CLI::Option*> add_training_options(CLI::App& verb, BenchArguments& arguments) {
  return {
      verb.add_option("--set", arguments.overrides,
                      "KEY=VALUE: replaces one value, as model.heads=8")
          ->allow_extra_args(false),
      add_number(verb, "--lanes", arguments.lanes, 1, 1024,
                 "lanes, by default one for each thread"),
      add_number(verb, "--updates", arguments.updates, 3, 1000000,
                 "updates that are timed, 10 by default"),
      add_number(verb, "--sentences", arguments.sentences, 1, 1 << 16,
                 "pairs of an update; of a config: 256"),
      add_number(verb, "--length", arguments.length, 1, 1 << 14,
                 "tokens of a target, end included; 16"),
      add_number(verb, "--vocabulary", arguments.vocabulary, Vocabulary::kSmallest, 1 << 24,
                 "ids that can be chosen; 10000"),
      verb.add_flag("--profile", arguments.profile, "the time of every operation as well"),
      verb.add_option("--trace", arguments.trace,
                      "a file for a trace of a few updates, for chrome://tracing or Perfetto"),
  };
}

}  // namespace

void add_bench(CLI::App& app) {
  const auto arguments = std::make_shared<BenchArguments>();
  CLI::App* verb = app.add_subcommand("bench", kAboutBench);
  CLI::Option* file = verb->add_option("CONFIG", arguments->file, "a JSON file");
  CLI::Option* shape =
      verb->add_option("--shape", arguments->shape, "a model known by name: tiny, char or base")
          ->check(CLI::IsMember(bench_shape_names()))
          ->excludes(file);
  CLI::Option* decode = verb->add_option("--decode", arguments->decode,
                                         "a trained model: times translating --source instead")
                            ->excludes(file)
                            ->excludes(shape);
  verb->add_option("--source", arguments->source, "a file of text to translate")->needs(decode);
  arguments->search.add_to(*verb);
  const std::vector<CLI::Option*> of_training = add_training_options(*verb, *arguments);
  add_threads(*verb, arguments->threads);
  verb->add_flag("--json", arguments->json, "print one JSON object");
  verb->callback([=] {
    if (decode->count() > 0) {
      for (const CLI::Option* o : of_training) {
        if (o->count() > 0) throw CLI::ExcludesError("--decode", o->get_name());
      }
      return run_decode(*arguments);
    }
    if (arguments->search.any()) throw CLI::RequiredError("--decode, with --beam and its like,");
    if (file->count() + shape->count() == 0) {
      throw CLI::RequiredError("CONFIG, --shape or --decode");
    }
    run_bench(*arguments);
  });
}

}  // namespace heddle
