// heddle translate: lines in, lines out.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>

#include "autograd/base/parallel.h"
#include "cli/line_stream.h"
#include "cli/remarks.h"
#include "cli/repaired_lines.h"
#include "cli/search_options.h"
#include "cli/text_streams.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "decode/trained_model.h"
#include "decode/translator.h"

namespace heddle {

namespace {

constexpr const char* kAboutTranslate =
    R"(Example: echo "The cats are small." | heddle translate runs/toy

Translates text with a trained model, one line out for each line in.

MODEL is the folder of a run (its best checkpoint, else its last) or of one checkpoint. While lines
come in quickly they are translated together; when the input pauses, what has come is answered.
--n-best prints several lines for each: its number, the score and the text, with tabs between.)";

// What comes in quicker is translated together.
constexpr int kIdleMilliseconds = 2;

struct TranslateArguments {
  std::string model, input, output, prefixes;
  SearchOptions search;
  bool scores = false, alignment = false;
  int threads = available_threads();
};

/// The beginnings of outputs, line by line; none where no file was given.
class Prefixes {
 public:
  Prefixes(const std::string& path, const std::string& input) : path_(path), input_(input) {
    if (!path.empty()) reader_.emplace(path);
  }

  /// Those of the next `count` lines. Throws DataError where there are fewer.
  std::vector<std::string> next(std::size_t count) {
    std::vector<std::string> prefixes;
    if (!reader_) return prefixes;
    for (std::string line; prefixes.size() < count;) {
      check<DataError>(reader_->next(line), path_, " ends after line ", reader_->number(), ", but ",
                       input_, " has more lines; give as many prefixes");
      prefixes.push_back(line);
    }
    return prefixes;
  }
  /// Throws DataError where there are more of them.
  void finish() {
    if (!reader_) return;
    const std::int64_t lines = reader_->number();
    std::string line;
    check<DataError>(!reader_->next(line), path_, " has more lines than ", input_,
                     ", which ends after line ", lines);
  }

 private:
  const std::string& path_;
  const std::string& input_;
  std::optional<RepairedLines> reader_;
};

/// A line of text for each line in; with a line for each of several outputs, where they are asked
/// for, which then begin with the number of their line and the score.
class Lines {
 public:
  explicit Lines(const TranslateArguments& arguments)
      : numbers_(arguments.search.n_best > 1),
        scores_(numbers_ || arguments.scores),
        alignment_(arguments.alignment) {}

  bool scores() const { return scores_; }

  void append(const Translation& translation, std::int64_t line, std::string& text) const {
    if (translation.outputs.empty()) append(Translation::Output(), line, text);
    for (const Translation::Output& output : translation.outputs) append(output, line, text);
  }

 private:
  void append(const Translation::Output& output, std::int64_t line, std::string& text) const {
    if (numbers_) fmt::format_to(std::back_inserter(text), "{}\t", line);
    if (scores_) fmt::format_to(std::back_inserter(text), "{:.4f}\t", output.hypothesis.score);
    const std::size_t begin = text.size();
    text += output.text;
    if (numbers_ || scores_ || alignment_) {  // a tab in it would be one between columns
      std::replace(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), '\t', ' ');
    }
    if (alignment_) text.append("\t").append(text_of(output.alignment));
    text += '\n';
  }

  bool numbers_, scores_, alignment_;
};

InputFiles inputs_of(const TranslateArguments& arguments, const TrainedModel& model) {
  InputFiles inputs;
  if (arguments.input.empty()) inputs.add_standard_input();
  inputs.add("--input", arguments.input);
  inputs.add("--prefix", arguments.prefixes);
  inputs.add_model(arguments.model, model.folder());
  return inputs;
}

void run_translate(const TranslateArguments& arguments) {
  const TrainedModel model(arguments.model);
  const Lines format(arguments);
  TranslatorOptions options =
      arguments.search.applied_to(model.translator_options(arguments.threads));
  options.align = arguments.alignment;
  options.scores = format.scores();
  Translator translator(model.transformer(), model.tokenizers(), options);
  const InputFiles inputs = inputs_of(arguments, model);
  const Input input(arguments.input);
  Prefixes prefixes(arguments.prefixes, input.name());
  Output output("--output", arguments.output, inputs);
  LineStream stream(input.descriptor(), input.name());
  Remarks remarks;
  for (Window window;;) {
    const std::vector<std::string> lines = stream.next(window.lines(), kIdleMilliseconds);
    if (lines.empty()) break;
    window.begin();
    const std::vector<Translation> translations = translator(
        lines, prefixes.next(lines.size()), static_cast<std::uint64_t>(remarks.lines()) + 1);
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      remarks.note(lines[i], translations[i]);
      format.append(translations[i], remarks.lines(), text);
    }
    window.end(lines.size());
    output.write(text);
  }
  remarks.print(input.name(), translator.longest_source());
  prefixes.finish();
  output.finish();
}

}  // namespace

void add_translate(CLI::App& app) {
  const auto arguments = std::make_shared<TranslateArguments>();
  CLI::App* verb = app.add_subcommand("translate", kAboutTranslate);
  verb->add_option("MODEL", arguments->model, "the folder of a run or of a checkpoint")->required();
  verb->add_option("--input", arguments->input, "a file of text; by default standard input");
  verb->add_option("--output", arguments->output, "a file; by default standard output");
  arguments->search.add_to(*verb);
  arguments->search.add_n_best_to(*verb);
  arguments->search.add_sampling_to(*verb);
  verb->add_option("--prefix", arguments->prefixes,
                   "a file with a line for each line in: what its translation must begin with");
  verb->add_flag("--scores", arguments->scores,
                 "in front of each translation its score and a tab: log-probability / "
                 "tokens^length-penalty");
  verb->add_flag("--alignment", arguments->alignment,
                 "behind each translation a tab and, for each of its words, the source word that "
                 "it attends to most: 0-0 2-1 ...");
  add_threads(*verb, arguments->threads);
  verb->callback([=] { run_translate(*arguments); });
}

}  // namespace heddle
