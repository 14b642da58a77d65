// heddle translate: lines in, lines out.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "autograd/base/atomic_file.h"
#include "autograd/base/parallel.h"
#include "cli/line_stream.h"
#include "cli/verbs.h"
#include "data/utf8.h"
#include "decode/trained_model.h"
#include "decode/translator.h"

namespace heddle {

namespace {

constexpr const char* kAbout = R"(Example: echo "The cats are small." | heddle translate runs/toy

Translates text with a trained model, one line out for each line in.

MODEL is the folder of a run (its best checkpoint, else its last) or of one checkpoint. While lines
come in quickly they are translated together; when the input pauses, what has come is answered.)";

// Enough to sort by length, few enough to see output soon.
constexpr std::size_t kWindowLines = 2048;
constexpr int kIdleMilliseconds = 50;

struct Arguments {
  std::string model, input, output;
  int beam = 1;
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
    if (!translation.source_ids.empty() && !translation.hypothesis.finished) ++unfinished;
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

void run(const Arguments& arguments) {
  const TrainedModel model(arguments.model);
  Translator translator(model.transformer(), model.tokenizers(),
                        model.translator_options(arguments.threads));
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
      text.append(translations[i].text).append("\n");
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
  verb->add_option("--beam", arguments->beam, "hypotheses that compete; 1 is greedy search")
      ->check(CLI::Range(1, 1));
  verb->add_option("--threads", arguments->threads, "threads, by default all processors")
      ->check(CLI::Range(1, 1024));
  verb->callback([=] { run(*arguments); });
}

}  // namespace heddle
