// heddle evaluate: how good a model's translations are, or those in a file.
#include <fmt/core.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "autograd/base/parallel.h"
#include "cli/verbs.h"
#include "data/line_reader.h"
#include "decode/scorer.h"
#include "decode/trained_model.h"

namespace heddle {

namespace {

constexpr const char* kAbout =
    R"(Example: heddle evaluate runs/toy --source data/toy/test.en --reference data/toy/test.fr

Compares translations with references: how many are the same, and the loss.

With --hypothesis instead of a model the translations are read from a file.)";

struct Arguments {
  std::string model, source, reference, hypothesis, groups;
  bool json = false;
  int threads = available_threads();
};

using Lines = std::vector<std::string>;

Lines read_lines(const std::string& path) {
  Lines lines;
  LineReader reader(path);
  for (std::string_view line; reader.next(line);) {
    check_utf8(path, reader.number(), line);
    lines.emplace_back(line);
  }
  return lines;
}

void check_equal_length(const std::string& a, const Lines& of_a, const std::string& b,
                        const Lines& of_b) {
  check<DataError>(of_a.size() == of_b.size(), a, " has ", of_a.size(), " lines, but ", b, " has ",
                   of_b.size(), "; line n of one must belong to line n of the other");
}

struct Matches {
  std::string group;  // empty: all lines
  std::int64_t lines = 0, exact = 0;

  double percent() const { return 100.0 * static_cast<double>(exact) / static_cast<double>(lines); }
};

/// The matches of all lines first, then of each group in the order of appearance.
std::vector<Matches> count_matches(const Lines& hypotheses, const Lines& references,
                                   const Lines& groups) {
  std::vector<Matches> result(1);
  for (std::size_t i = 0; i < references.size(); ++i) {
    const bool exact = hypotheses[i] == references[i];
    const auto count = [&](Matches& matches) {
      ++matches.lines;
      if (exact) ++matches.exact;
    };
    count(result.front());
    if (groups.empty()) continue;
    std::size_t g = 1;
    while (g < result.size() && result[g].group != groups[i]) ++g;
    if (g == result.size()) result.push_back({.group = groups[i]});
    count(result[g]);
  }
  return result;
}

struct Loss {
  double sum = 0.0;
  std::int64_t tokens = 0, left_out = 0;

  double per_token() const { return sum / static_cast<double>(tokens); }
};

/// The negative log-likelihood of the references. Pairs with an empty side, or one that is longer
/// than the model's positions, are left out.
Loss loss_of(const TrainedModel& model, const Lines& sources, const Lines& references,
             int threads) {
  constexpr std::int64_t kBatchTokens = 2048;
  const Transformer& transformer = model.transformer();
  std::vector<PackedPairs> batches(1);
  Loss loss;
  std::vector<std::int32_t> source, target;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    source.clear();
    target.clear();
    model.tokenizers().source().encode(sources[i], source);
    model.tokenizers().target().encode(references[i], target);
    const bool fits = !source.empty() && !target.empty() &&
                      std::ssize(source) < transformer.longest_source() &&
                      std::ssize(target) < transformer.longest_target();
    if (!fits) {
      ++loss.left_out;
      continue;
    }
    batches.back().append(source, target, transformer.vocabularies().target.start());
    loss.tokens += std::ssize(target) + 1;
    if (batches.back().target_tokens() >= kBatchTokens) batches.emplace_back();
  }
  if (batches.back().source.empty()) batches.pop_back();
  loss.sum = negative_log_likelihood(transformer, batches, threads);
  return loss;
}

void print_json(const std::vector<Matches>& matches, const std::optional<Loss>& loss) {
  nlohmann::ordered_json json = {{"lines", matches[0].lines},
                                 {"exact_match", matches[0].percent()}};
  for (std::size_t g = 1; g < matches.size(); ++g) {
    json["groups"][matches[g].group] = {{"lines", matches[g].lines},
                                        {"exact_match", matches[g].percent()}};
  }
  if (loss && loss->tokens > 0) {
    json["loss"] = loss->per_token();
    json["perplexity"] = std::exp(loss->per_token());
    json["target_tokens"] = loss->tokens;
    json["left_out"] = loss->left_out;
  }
  fmt::print("{}\n", json.dump());
}

void print(const std::vector<Matches>& matches, const std::optional<Loss>& loss) {
  for (const Matches& m : matches) {
    const bool all = &m == matches.data();
    fmt::print("exact match {:.1f} % ({} of {}{})\n", m.percent(), m.exact, m.lines,
               all               ? ""
               : m.group.empty() ? " without a group"
                                 : " " + m.group);
  }
  if (!loss || loss->tokens == 0) return;
  fmt::print("loss {:.4f} per token, perplexity {:.3f} ({} tokens{})\n", loss->per_token(),
             std::exp(loss->per_token()), loss->tokens,
             loss->left_out == 0 ? "" : fmt::format(", {} lines left out", loss->left_out));
}

void run(const Arguments& arguments) {
  const Lines references = read_lines(arguments.reference);
  check<DataError>(!references.empty(), arguments.reference, ": the file is empty");
  const Lines groups = arguments.groups.empty() ? Lines{} : read_lines(arguments.groups);
  if (!arguments.groups.empty()) {
    check_equal_length(arguments.reference, references, arguments.groups, groups);
  }
  Lines hypotheses;
  std::optional<Loss> loss;
  if (!arguments.hypothesis.empty()) {
    hypotheses = read_lines(arguments.hypothesis);
    check_equal_length(arguments.reference, references, arguments.hypothesis, hypotheses);
  } else {
    const Lines sources = read_lines(arguments.source);
    check_equal_length(arguments.reference, references, arguments.source, sources);
    const TrainedModel model(arguments.model);
    Translator translator(model.transformer(), model.tokenizers(),
                          model.translator_options(arguments.threads));
    for (Translation& t : translator(sources)) hypotheses.push_back(std::move(t.text));
    loss = loss_of(model, sources, references, arguments.threads);
  }
  const std::vector<Matches> matches = count_matches(hypotheses, references, groups);
  arguments.json ? print_json(matches, loss) : print(matches, loss);
}

/// Either a model with sources, or hypotheses.
void check_usage(const Arguments& arguments) {
  const bool from_file = !arguments.hypothesis.empty();
  if (from_file && (!arguments.model.empty() || !arguments.source.empty())) {
    throw CLI::ValidationError("--hypothesis", "takes the place of MODEL and --source");
  }
  if (!from_file && arguments.model.empty()) throw CLI::RequiredError("MODEL or --hypothesis");
  if (!from_file && arguments.source.empty()) throw CLI::RequiredError("--source");
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("evaluate", kAbout);
  verb->add_option("MODEL", arguments->model, "the folder of a run or of a checkpoint");
  verb->add_option("--source", arguments->source, "a file of text to translate");
  verb->add_option("--reference", arguments->reference, "the right translations, line by line")
      ->required();
  verb->add_option("--hypothesis", arguments->hypothesis,
                   "translations to judge, instead of a model's");
  verb->add_option("--groups", arguments->groups,
                   "a file with the name of a group on each line: they are reported separately");
  verb->add_flag("--json", arguments->json, "one JSON object instead of lines");
  verb->add_option("--threads", arguments->threads, "threads, by default all processors")
      ->check(CLI::Range(1, 1024));
  verb->callback([=] {
    check_usage(*arguments);
    run(*arguments);
  });
}

}  // namespace heddle
