// heddle evaluate: how good a model's translations are, or those in a file.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include "autograd/base/parallel.h"
#include "cli/evaluation.h"
#include "cli/remarks.h"
#include "cli/repaired_lines.h"
#include "cli/search_options.h"
#include "cli/text_streams.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "decode/scorer.h"
#include "decode/trained_model.h"

namespace heddle {

namespace {

constexpr const char* kAboutEvaluate =
    R"(Example: heddle evaluate runs/toy --source data/toy/test.en --reference data/toy/test.fr

Compares translations with references: how many are the same, BLEU, chrF, and the loss.

With --hypothesis instead of a model the translations are read from a file. BLEU and chrF are those of
sacreBLEU 2.6; BLEU of tokenised text needs --tokenize none. Pronunciations, with a word on each line:
--metric wer --metric per --reference-separator tab.)";

struct EvaluateArguments {
  std::string model, source, hypothesis, groups, separator, per_line;
  std::vector<std::string> references, metrics;
  BleuTokens tokens = BleuTokens::k13a;
  SearchOptions search;
  bool json = false;
  int threads = available_threads();
};

using Lines = std::vector<std::string>;

/// All of them: a file that would not fit, gzip of nothing but line ends for example, is refused.
Lines read_lines(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  Lines lines;
  RepairedLines reader(path);
  std::size_t bytes = 0;
  for (std::string line; reader.next(line);) {
    bytes += sizeof line + line.size();
    check<DataError>(bytes <= kMost, path, ": the first ", lines.size() + 1,
                     " lines take more than 1 GiB of memory; compare parts of it");
    lines.push_back(line);
  }
  return lines;
}

template <class A, class B>
void check_equal_length(const std::string& a, const A& of_a, const std::string& b, const B& of_b) {
  check<DataError>(of_a.size() == of_b.size(), a, " has ", of_a.size(), " lines, but ", b, " has ",
                   of_b.size(), "; line n of one must belong to line n of the other");
}

/// The negative log-likelihood of the first references, of the pairs that the model can read.
ReferenceLoss loss_of(const TrainedModel& model, const Lines& sources,
                      const std::vector<References>& references, int threads) {
  constexpr std::int64_t kBatchTokens = 2048;
  constexpr std::size_t kBatches = 16;  // at a time
  std::vector<PackedPairs> batches(1);
  ReferenceLoss loss;
  const auto add = [&] {
    if (batches.back().source.empty()) batches.pop_back();
    for (const PackedPairs& batch : batches) loss.tokens += batch.target_tokens();
    loss.sum += negative_log_likelihood(model.transformer(), batches, threads);
    batches.assign(1, {});
  };
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!append_readable(model, sources[i], references[i].front(), batches.back())) ++loss.left_out;
    if (batches.back().target_tokens() < kBatchTokens) continue;
    batches.emplace_back();
    if (batches.size() > kBatches) add();
  }
  add();
  return loss;
}

/// The references of each line: of all files, cut at the separator.
std::vector<References> read_references(const EvaluateArguments& arguments) {
  std::vector<References> references;
  Lines first;
  for (const std::string& path : arguments.references) {
    const Lines lines = read_lines(path);
    check<DataError>(!lines.empty(), path, ": the file is empty");
    if (references.empty()) {
      references.resize(lines.size());
      first = lines;
    }
    check_equal_length(arguments.references.front(), first, path, lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      append_references(lines[i], arguments.separator, references[i]);
    }
  }
  std::ranges::for_each(references, if_none_the_empty_one);
  return references;
}

std::vector<Metric> chosen_metrics(const EvaluateArguments& arguments) {
  std::vector<Metric> metrics;
  for (const std::string& name : arguments.metrics) {
    metrics.push_back(std::ranges::find(metric_names(), name, &MetricName::name)->metric);
  }
  if (metrics.empty()) metrics = {Metric::kExactMatch, Metric::kBleu, Metric::kChrf};
  return metrics;
}

Lines translated(const TrainedModel& model, const Lines& sources,
                 const EvaluateArguments& arguments) {
  TranslatorOptions options =
      arguments.search.applied_to(model.translator_options(arguments.threads));
  options.scores = false;
  Translator translator(model.transformer(), model.tokenizers(), options);
  constexpr std::size_t kWindow = 8192;  // lines; only texts are kept of those before
  Lines texts;
  Remarks remarks;
  for (std::size_t i = 0; i < sources.size(); i += kWindow) {
    const auto window = std::span(sources).subspan(i, std::min(kWindow, sources.size() - i));
    for (const Translation& t : translator(window, {}, i + 1)) {
      remarks.note(sources[texts.size()], t);
      texts.push_back(t.text());
    }
  }
  remarks.print(arguments.source, translator.longest_source());
  return texts;
}

/// A table for sorting: a row for each line with its number and its score by each metric.
void write_scores_of_lines(const EvaluateArguments& arguments, const Lines& hypotheses,
                           const std::vector<References>& references, Output& output) {
  const std::vector<Metric> metrics = chosen_metrics(arguments);
  std::string text = "line";
  for (const Metric metric : metrics) text.append("\t").append(name_of(metric));
  text += '\n';
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    text += std::to_string(i + 1);
    for (const Metric metric : metrics) {
      const double value = line_score(metric, hypotheses[i], references[i], arguments.tokens);
      fmt::format_to(std::back_inserter(text), "\t{:.4f}", value);
    }
    text += '\n';
  }
  output.write(text);
  output.finish();
}

InputFiles inputs_of(const EvaluateArguments& arguments) {
  InputFiles inputs;
  for (const std::string& reference : arguments.references) inputs.add("--reference", reference);
  inputs.add("--hypothesis", arguments.hypothesis);
  inputs.add("--source", arguments.source);
  inputs.add("--groups", arguments.groups);
  if (!arguments.model.empty()) inputs.add_model(arguments.model, find_checkpoint(arguments.model));
  return inputs;
}

Evaluation evaluate(const EvaluateArguments& arguments) {
  const InputFiles inputs = inputs_of(arguments);
  const std::vector<References> references = read_references(arguments);
  const std::string& reference = arguments.references.front();
  const auto read_as_long = [&](const std::string& path) {
    Lines lines = read_lines(path);
    check_equal_length(reference, references, path, lines);
    return lines;
  };
  Evaluation evaluation;
  const Lines groups = arguments.groups.empty() ? Lines{} : read_as_long(arguments.groups);
  std::optional<Output> per_line;  // which cannot be written is said before the work
  if (!arguments.per_line.empty()) per_line.emplace("--per-line", arguments.per_line, inputs);
  Lines hypotheses;
  if (!arguments.hypothesis.empty()) {
    hypotheses = read_as_long(arguments.hypothesis);
  } else {
    const Lines sources = read_as_long(arguments.source);
    const TrainedModel model(arguments.model);
    hypotheses = translated(model, sources, arguments);
    evaluation.loss = loss_of(model, sources, references, arguments.threads);
  }
  if (per_line) write_scores_of_lines(arguments, hypotheses, references, *per_line);
  evaluation.groups = grouped(references.size(), groups);
  for (LineGroup& group : evaluation.groups) {
    for (const Metric metric : chosen_metrics(arguments)) {
      group.scores.push_back(score(metric, hypotheses, references, group.lines, arguments.tokens));
    }
  }
  return evaluation;
}

std::vector<std::string> names_of_metrics() {
  std::vector<std::string> names;
  for (const MetricName& m : metric_names()) names.emplace_back(m.name);
  return names;
}

std::string metrics_in_words() {
  std::string text = "what to compute, by default exact, bleu and chrf; again for several";
  for (const MetricName& m : metric_names()) text += fmt::format("; {}: {}", m.name, m.about);
  return text;
}

/// Either a model with sources, or hypotheses, which nothing has to be searched for.
void check_usage(const EvaluateArguments& arguments) {
  const bool from_file = !arguments.hypothesis.empty();
  if (from_file && (!arguments.model.empty() || !arguments.source.empty())) {
    throw CLI::ValidationError("--hypothesis", "takes the place of MODEL and --source");
  }
  if (from_file && arguments.search.any()) {
    throw CLI::ValidationError("--hypothesis", "needs no search: --beam and its like do nothing");
  }
  if (!from_file && arguments.model.empty()) throw CLI::RequiredError("MODEL or --hypothesis");
  if (!from_file && arguments.source.empty()) throw CLI::RequiredError("--source");
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* verb = app.add_subcommand("evaluate", kAboutEvaluate);
  verb->add_option("MODEL", arguments->model, "the folder of a run or of a checkpoint");
  verb->add_option("--source", arguments->source, "a file of text to translate");
  verb->add_option("--reference", arguments->references,
                   "the right translations, line by line; again for further ones")
      ->required()
      ->allow_extra_args(false);
  verb->add_option("--reference-separator", arguments->separator,
                   "what stands between several right translations on a line: tab, or a text");
  verb->add_option("--hypothesis", arguments->hypothesis,
                   "translations to judge, instead of a model's");
  verb->add_option("--metric", arguments->metrics, metrics_in_words())
      ->check(CLI::IsMember(names_of_metrics()))
      ->allow_extra_args(false);
  verb->add_option("--tokenize", arguments->tokens,
                   "the words of BLEU: 13a for plain text, none for text that is tokenised, char")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, BleuTokens>{
              {"13a", BleuTokens::k13a}, {"none", BleuTokens::kNone}, {"char", BleuTokens::kChar}},
          CLI::ignore_case));
  verb->add_option("--groups", arguments->groups,
                   "a file with the name of a group on each line: they are reported separately");
  arguments->search.add_to(*verb);
  verb->add_option("--per-line", arguments->per_line,
                   "a file for a table with tabs: for each line its number and its own scores");
  verb->add_flag("--json", arguments->json, "one JSON object instead of lines");
  add_threads(*verb, arguments->threads);
  verb->callback([=] {
    check_usage(*arguments);
    if (arguments->separator == "tab") arguments->separator = "\t";
    const Evaluation evaluation = evaluate(*arguments);
    fmt::print("{}", arguments->json ? evaluation.json() : evaluation.text());
  });
}

}  // namespace heddle
