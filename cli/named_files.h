// The files that a command line names: what it reads, and where it may write.
//
// Two names are the same file where device and inode are the same, whatever links and spellings
// lead there.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

namespace heddle {

/// The files that a command reads.
class InputFiles {
 public:
  /// `option` says in messages who names the file. A path that is empty, or leads nowhere, is
  /// passed over: whoever opens it says so. Throws a usage error where two options name one pipe,
  /// which can be read only once.
  void add(const std::string& option, const std::filesystem::path& path);
  void add_standard_input();
  /// The files that MODEL leads to, a run or a checkpoint; `checkpoint` is the one that is read.
  void add_model(const std::filesystem::path& model, const std::filesystem::path& checkpoint);
  /// The files of a run that tell its course.
  void add_history(const std::string& option, const std::filesystem::path& run);

  /// Throws a usage error where the file, regular and open for writing under this name, is one of
  /// them.
  void refuse_as_output(const std::string& option, const std::string& name, dev_t device,
                        ino_t inode) const;

 private:
  struct Known {
    std::string option, name;
    dev_t device;
    ino_t inode;
    bool once;  // a pipe
  };
  void add(const std::string& option, const std::string& name, const struct stat& status);

  std::vector<Known> known_;
};

/// Where an output that is called `path` is to be written: a link is followed, also one whose
/// target is not there yet, so that it stays a link. Throws FileError for a folder and a usage
/// error for one of the inputs.
std::filesystem::path output_path(const std::string& option, const std::filesystem::path& path,
                                  const InputFiles& inputs);

}  // namespace heddle
