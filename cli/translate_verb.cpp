// heddle translate: lines in, lines out.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>

#include "autograd/base/atomic_file.h"
#include "autograd/base/parallel.h"
#include "cli/line_stream.h"
#include "cli/search_options.h"
#include "cli/verbs.h"
#include "data/utf8.h"
#include "decode/trained_model.h"
#include "decode/translator.h"

namespace heddle {

namespace {

constexpr const char* kAbout = R"(Example: echo "The cats are small." | heddle translate runs/toy

Translates text with a trained model, one line out for each line in.

MODEL is the folder of a run (its best checkpoint, else its last) or of one checkpoint. While lines
come in quickly they are translated together; when the input pauses, what has come is answered.
--n-best prints several lines for each: its number, the score and the text, with tabs between.)";

// Enough to sort by length, few enough to see output soon.
constexpr std::size_t kWindowLines = 2048;
constexpr int kIdleMilliseconds = 50;

struct Arguments {
  std::string model, input, output;
  SearchOptions search;
  bool scores = false;
  int threads = available_threads();
};

/// A file, or the standard stream.
class Input {
 public:
  explicit Input(const std::string& path) : name_(path.empty() ? "standard input" : path) {
    if (path.empty()) return;
    check<FileError>(!std::filesystem::is_directory(path), path, ": is a folder, not a file");
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    check<FileError>(descriptor_ >= 0, "cannot read ", path, ": ",
                     std::generic_category().message(errno));
  }
  ~Input() {
    if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int descriptor_ = STDIN_FILENO;
};

/// A file that appears whole at the end; or at once what is no regular file, as the standard
/// stream.
class Output {
 public:
  explicit Output(const std::string& path) : name_(path.empty() ? "standard output" : path) {
    if (path.empty()) return;
    const bool there = std::filesystem::exists(path);
    check<FileError>(!std::filesystem::is_directory(path), path, ": is a folder, not a file");
    if (!there || std::filesystem::is_regular_file(path)) {
      file_.emplace(there ? std::filesystem::canonical(path) : std::filesystem::path(path));
      return;
    }
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    check<FileError>(descriptor_ >= 0, "cannot write ", path, ": ",
                     std::generic_category().message(errno));
  }
  ~Output() {
    if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const std::string& text) {
    if (file_) return file_->write(text.data(), text.size());
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      check<FileError>(count >= 0, "cannot write to ", name_, ": ",
                       std::generic_category().message(errno));
      done += static_cast<std::size_t>(count);
    }
  }
  void finish() {
    if (file_) file_->commit();
  }

 private:
  std::string name_;
  int descriptor_ = STDOUT_FILENO;
  std::optional<AtomicFile> file_;
};

/// What users should know about the lines, told at the end.
struct Remarks {
  std::int64_t lines = 0, invalid = 0, first_invalid = 0, cut = 0, unfinished = 0;

  void note(const std::string& line, const Translation& translation) {
    ++lines;
    if (first_invalid_byte(line) && invalid++ == 0) first_invalid = lines;
    if (translation.cut) ++cut;
    if (!translation.outputs.empty() && !translation.outputs.front().hypothesis.finished) {
      ++unfinished;
    }
  }
  void print(std::int64_t longest) const {
    if (invalid > 0) {
      fmt::print(stderr, "heddle: {} of {} lines are not valid UTF-8, the first is line {}\n",
                 invalid, lines, first_invalid);
    }
    if (cut > 0) {
      fmt::print(stderr,
                 "heddle: {} of {} lines are longer than {} tokens; their ends were left "
                 "out\n",
                 cut, lines, longest);
    }
    if (unfinished > 0) {
      fmt::print(stderr,
                 "heddle: {} of {} translations did not end and were cut at "
                 "decode.max_length\n",
                 unfinished, lines);
    }
  }
};

// A line of text for each line in; with scores in front, and a line for each of several outputs
// where they are asked for, which then begin with the number of their line.
void append(const Translation& translation, std::int64_t line, const Arguments& arguments,
            std::string& text) {
  const bool several = arguments.search.n_best > 1;
  if (translation.outputs.empty()) {
    if (several) fmt::format_to(std::back_inserter(text), "{}\t", line);
    text += several || arguments.scores ? "0.0000\t\n" : "\n";
  }
  for (const Translation::Output& output : translation.outputs) {
    if (several) fmt::format_to(std::back_inserter(text), "{}\t", line);
    if (several || arguments.scores) {
      fmt::format_to(std::back_inserter(text), "{:.4f}\t", output.hypothesis.score);
    }
    text.append(output.text).append("\n");
  }
}

void run(const Arguments& arguments) {
  const TrainedModel model(arguments.model);
  Translator translator(model.transformer(), model.tokenizers(),
                        arguments.search.applied_to(model.translator_options(arguments.threads)));
  const Input input(arguments.input);
  Output output(arguments.output);
  LineStream stream(input.descriptor(), input.name());
  Remarks remarks;
  for (;;) {
    const std::vector<std::string> lines = stream.next(kWindowLines, kIdleMilliseconds);
    if (lines.empty()) break;
    const std::vector<Translation> translations = translator(lines);
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      remarks.note(lines[i], translations[i]);
      append(translations[i], remarks.lines, arguments, text);
    }
    output.write(text);
  }
  output.finish();
  remarks.print(translator.longest_source());
}

}  // namespace

void add_translate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("translate", kAbout);
  verb->add_option("MODEL", arguments->model, "the folder of a run or of a checkpoint")->required();
  verb->add_option("--input", arguments->input, "a file of text; by default standard input");
  verb->add_option("--output", arguments->output, "a file; by default standard output");
  arguments->search.add_to(*verb);
  arguments->search.add_n_best_to(*verb);
  verb->add_flag("--scores", arguments->scores,
                 "in front of each translation its score and a tab: log-probability / "
                 "tokens^length-penalty");
  verb->add_option("--threads", arguments->threads, "threads, by default all processors")
      ->check(CLI::Range(1, 1024));
  verb->callback([=] { run(*arguments); });
}

}  // namespace heddle
