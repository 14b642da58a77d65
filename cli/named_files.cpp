#include "cli/named_files.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <system_error>

#include "autograd/base/check.h"
#include "decode/seal.h"
#include "decode/trained_model.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

/// Where links lead to that end at a name which is not there yet.
fs::path followed(fs::path path) {
  constexpr int kMostLinks = 40;  // as the system itself
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code error;
    const fs::path link = fs::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / link;
  }
  return path;
}

}  // namespace

void InputFiles::add(const std::string& option, const fs::path& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return;
  add(option, path.string(), status);
}

void InputFiles::add_standard_input() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) == 0) add("", "standard input", status);
}

void InputFiles::add(const std::string& option, const std::string& name,
                     const struct stat& status) {
  const bool once = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
  if (!once && !S_ISREG(status.st_mode)) return;
  for (const Known& other : known_) {
    if (!once || other.device != status.st_dev || other.inode != status.st_ino) continue;
    throw CLI::ValidationError(
        option, name + " is a pipe that is also " +
                    (other.option.empty() ? other.name : "given by " + other.option) +
                    "; it can be read only once, so copy it into a file first");
  }
  known_.push_back({option, name, status.st_dev, status.st_ino, once});
}

void InputFiles::add_model(const fs::path& model, const fs::path& checkpoint) {
  for (const char* name : {kModelFile, kAverageFile, kOptimizerFile, kConfigFile, kStateFile,
                           "tokenizer", "tokenizer.source", "tokenizer.target"}) {
    add("MODEL", checkpoint / name);
  }
  add_history("MODEL", model);
}

void InputFiles::add_history(const std::string& option, const fs::path& run) {
  add(option, run / kConfigFile);
  add(option, run / "metrics.jsonl");
}

void InputFiles::refuse_as_output(const std::string& option, const std::string& name, dev_t device,
                                  ino_t inode) const {
  for (const Known& input : known_) {
    if (input.once || input.device != device || input.inode != inode) continue;
    const std::string where = input.option.empty() ? input.name
                              : input.name == name
                                  ? "the file that " + input.option + " reads"
                                  : input.name + ", which " + input.option + " reads";
    throw CLI::ValidationError(
        option, (name.empty() ? "is " : name + " is ") + where + "; give another file to write to");
  }
}

fs::path output_path(const std::string& option, const fs::path& path, const InputFiles& inputs) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    check<FileError>(errno == ENOENT || errno == ENOTDIR, "cannot write ", path.string(), ": ",
                     std::generic_category().message(errno));
    return followed(path);
  }
  check<FileError>(!S_ISDIR(status.st_mode), path.string(), ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) return path;
  inputs.refuse_as_output(option, path.string(), status.st_dev, status.st_ino);
  return fs::canonical(path);
}

}  // namespace heddle
