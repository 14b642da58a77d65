// The folder of a run:
//
//   config.json                  resolved
//   metrics.jsonl                an object per report or validation
//   checkpoints/                 and links to the last and the best one (decode/run_checkpoints.h)
//   cache/                       text as tokens (corpora.h)
//   averaged/                    the mean of checkpoints, where the config asks for it
//   lock                         held by the process that trains: its id
//
// Whatever interrupts, a name like step-000500 is complete (autograd/base/atomic_folder.h). A
// checkpoint that somebody asked for in between is only there to go on from: it is called
// resume-000512, counts for nothing else, and goes when the next one of the schedule stands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "decode/run_checkpoints.h"

namespace heddle {

class RunFolder {
 public:
  enum class Open {
    kNew,      // refuses a folder that holds a run
    kForce,    // begin() throws the run in it away
    kContinue  // begins where there is no run to go on with
  };

  using Say = std::function<void(const std::string&)>;

  /// Makes or opens the folder and locks it; to continue it, checkpoints that a copy left under the
  /// names of links alone get their own. Throws FileError, saying what to do, where that cannot
  /// be, also while another process trains in it. `say` is told what a user should know.
  RunFolder(
      const std::filesystem::path& path, Open how, Say say = [](const std::string&) {});
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path averaged() const { return path_ / "averaged"; }

  /// The run begins or goes on with this config; links that a copy has lost are made anew. A folder
  /// without a config is taken away again, as far as this process made it.
  void begin(const std::string& config);

  using Fill = std::function<void(const std::filesystem::path&)>;
  /// `fill` writes into a folder; it becomes the checkpoint of `update`, in place of an older one,
  /// and what "last" points to. Throws FileError, also where the folder of the run was removed or
  /// replaced; then all is as it was.
  void write_checkpoint(std::int64_t update, const Fill& fill);
  /// The same of one that is there to go on from alone, in place of all such.
  void write_interim(std::int64_t update, const Fill& fill);
  /// The same of the mean of checkpoints.
  void write_averaged(const Fill& fill);
  /// What follows a checkpoint of the schedule: "last" points to it, and what was there to go on
  /// from is gone. Done again it does nothing.
  void settle(std::int64_t update);
  /// The run is at the checkpoint of `update` again, and what it wrote behind that, up to `until`,
  /// goes; or it is at its beginning, and all goes. A process that dies meanwhile leaves what leads
  /// here again.
  void go_back(std::optional<std::int64_t> update, std::int64_t until);
  /// Throws FileError where the folder was removed, replaced or moved away meanwhile; only the last
  /// may pass (insist.h).
  void check_ours() const;
  /// Lets the link `name` ("last", "best") point to the checkpoint of `update`, where the file
  /// system has links. A folder that a copy left in its place goes; what no checkpoint holds is
  /// moved aside.
  void point(const std::string& name, std::int64_t update);
  /// The update of the last or the best checkpoint, with or without links.
  std::optional<std::int64_t> pointed(const std::string& name) const;
  /// All complete checkpoints of the schedule, by update.
  std::vector<std::int64_t> checkpoints() const;
  std::filesystem::path checkpoint(std::int64_t update) const;
  void remove_checkpoint(std::int64_t update);

  /// Where the run may be resumed: checkpoints_to_resume().
  std::vector<std::filesystem::path> to_resume() const;

 private:
  void lock();
  bool is_ours() const;
  void point_to(const std::string& name, const std::filesystem::path& folder) const;
  void clear_place(const std::filesystem::path& link) const;
  void remove_link(const std::string& name) const;
  void adopt_copies() const;
  void mend_links() const;
  void remove_leftovers() const;
  void remove_unless_begun() const;

  std::filesystem::path path_;
  Open how_;
  Say say_;
  int lock_ = -1;
  bool made_ = false;  // the folder was not there before
};

}  // namespace heddle
