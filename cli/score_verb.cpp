// heddle score: how probable are given translations to a model?
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>

#include "autograd/base/parallel.h"
#include "cli/repaired_lines.h"
#include "cli/standard_error.h"
#include "cli/text_streams.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "decode/alignment.h"
#include "decode/scorer.h"
#include "decode/trained_model.h"

namespace heddle {

namespace {

constexpr const char* kAboutScore =
    R"(Example: heddle score runs/toy --source data/toy/test.en --target data/toy/test.fr

Prints a line for each pair of lines: the log-probability of the target, a tab, and its tokens, the end
counted. A pair that the model cannot read, with an empty side or too many tokens, gets nan and 0.)";

struct ScoreArguments {
  std::string model, source, target;
  bool alignment = false;
  int threads = available_threads();
};

/// A pair of lines, alone in its batch, so that its score depends on it only.
struct ScoredPair {
  LinePair lines;
  PackedPairs packed;  // empty where the model cannot read it

  bool readable() const { return !packed.source.empty(); }
};

/// Pairs of the next lines.
class Pairs {
 public:
  Pairs(const ScoreArguments& arguments, const TrainedModel& model)
      : arguments_(arguments),
        model_(model),
        source_(arguments.source),
        target_(arguments.target) {}

  std::vector<ScoredPair> next(std::size_t most) {
    std::vector<ScoredPair> pairs;
    for (std::string source, target; pairs.size() < most;) {
      const bool first = source_.next(source), second = target_.next(target);
      if (first != second) fail_of_lengths();
      if (!first) break;
      pairs.push_back({{source, target}, {}});
      append_readable(model_, source, target, pairs.back().packed);
    }
    return pairs;
  }

 private:
  /// With the numbers of lines, for which the longer file is read to its end.
  [[noreturn]] void fail_of_lengths() {
    for (std::string line; source_.next(line) || target_.next(line);) {
    }
    fail<DataError>(arguments_.source, " has ", source_.number(), " lines, but ", arguments_.target,
                    " has ", target_.number(),
                    "; line n of one must belong to line n of the other");
  }

  const ScoreArguments& arguments_;
  const TrainedModel& model_;
  RepairedLines source_, target_;
};

/// A line for each pair. The model has read those that are not empty.
std::string text_of_pairs(const std::vector<ScoredPair>& pairs, const TrainedModel& model,
                          const ScoreArguments& arguments) {
  std::vector<PackedPairs> readable;
  std::vector<LinePair> lines;
  for (const ScoredPair& pair : pairs) {
    if (!pair.readable()) continue;
    readable.push_back(pair.packed);
    if (arguments.alignment) lines.push_back(pair.lines);
  }
  const std::vector<double> losses =
      negative_log_likelihoods(model.transformer(), readable, arguments.threads);
  std::vector<std::vector<WordLink>> alignments;
  if (arguments.alignment) {
    alignments = word_alignments(model.transformer(), model.tokenizers(), lines, arguments.threads);
  }
  std::string text;
  std::size_t next = 0;
  for (const ScoredPair& pair : pairs) {
    const bool was_read = pair.readable();
    fmt::format_to(std::back_inserter(text), "{:.4f}\t{}",
                   was_read ? -losses[next] : std::numeric_limits<double>::quiet_NaN(),
                   pair.packed.target_tokens());
    if (arguments.alignment) text += '\t';
    if (arguments.alignment && was_read) text += text_of(alignments[next]);
    text += '\n';
    if (was_read) ++next;
  }
  return text;
}

void run_score(const ScoreArguments& arguments) {
  InputFiles inputs;
  inputs.add("--source", arguments.source);
  inputs.add("--target", arguments.target);
  const TrainedModel model(arguments.model);
  Pairs pairs(arguments, model);
  Output output("", "", inputs);
  std::int64_t lines = 0, left_out = 0;
  for (Window window;;) {
    const std::vector<ScoredPair> some = pairs.next(window.lines());
    if (some.empty()) break;
    window.begin();
    const std::string text = text_of_pairs(some, model, arguments);
    window.end(some.size());
    output.write(text);
    lines += std::ssize(some);
    left_out += std::ranges::count_if(some, [](const auto& pair) { return !pair.readable(); });
  }
  if (left_out == 0) return;
  print_to_stderr("heddle: {} of {} pairs have an empty side or are too long for the model\n",
                  left_out, lines);
}

}  // namespace

void add_score(CLI::App& app) {
  const auto arguments = std::make_shared<ScoreArguments>();
  CLI::App* verb = app.add_subcommand("score", kAboutScore);
  verb->add_option("MODEL", arguments->model, "the folder of a run or of a checkpoint")->required();
  verb->add_option("--source", arguments->source, "a file of text")->required();
  verb->add_option("--target", arguments->target, "its translations, line by line")->required();
  verb->add_flag("--alignment", arguments->alignment,
                 "behind them a tab and, for each word of the target, the source word that it "
                 "attends to most: 0-0 2-1 ...");
  add_threads(*verb, arguments->threads);
  verb->callback([=] { run_score(*arguments); });
}

}  // namespace heddle
