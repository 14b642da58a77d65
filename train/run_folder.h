// The folder of a run:
//
//   config.json                  resolved
//   metrics.jsonl                an object per report or validation
//   checkpoints/step-000500/     complete in itself
//   checkpoints/last, best       links to two of them
//   cache/                       text as tokens (corpora.h)
//   averaged/                    the mean of the last checkpoints, where train.average_last asks
//   for it lock                         held by the process that trains
//
// A checkpoint is written under another name, flushed, and then renamed; links are replaced by
// renaming, too. Whatever interrupts, a name like step-000500 is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

/// The folders of all complete checkpoints of a run, by update.
std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& run);
/// That of one update.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t update);

class RunFolder {
 public:
  enum class Open {
    kNew,      // refuses a folder that holds a run
    kForce,    // begin() throws the run in it away
    kContinue  // needs a run
  };

  /// Makes or opens the folder and locks it. Throws FileError, saying what to do, where that cannot
  /// be, also while another process trains in it.
  RunFolder(const std::filesystem::path& path, Open how);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path averaged() const { return path_ / "averaged"; }

  /// The run begins or goes on with this config. A folder without it is taken away again, as far as
  /// this process made it.
  void begin(const std::string& config);

  /// `write` fills a folder; it becomes the checkpoint of `update`, in place of an older one.
  void write_checkpoint(std::int64_t update,
                        const std::function<void(const std::filesystem::path&)>& write);
  /// Lets the link `name` ("last", "best") point to the checkpoint of `update`.
  void point(const std::string& name, std::int64_t update);
  /// The update of the checkpoint that a link points to.
  std::optional<std::int64_t> pointed(const std::string& name) const;
  /// All complete checkpoints, by update.
  std::vector<std::int64_t> checkpoints() const;
  std::filesystem::path checkpoint(std::int64_t update) const;
  void remove_checkpoint(std::int64_t update);

 private:
  void lock();
  void remove_leftovers();
  void remove_unless_begun() const;

  std::filesystem::path path_;
  Open how_;
  int lock_ = -1;
  bool made_ = false;  // the folder was not there before
};

}  // namespace heddle
