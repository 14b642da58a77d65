// The checkpoints of a run: their names, and which of them are the last and the best one.
//
//   checkpoints/step-000500      one of the schedule
//   checkpoints/resume-000512    one that a user asked for: there to resume from, and for nothing
//   else checkpoints/last, best       links to two of them, for people
//
// A link that leads to a checkpoint counts, so that a user may point it to another one. But links
// are never needed: some file systems have none, some copies lose them or make folders of them.
// Without them the newest checkpoint is the last one, and its state.json lists the best
// validations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace heddle {

inline constexpr const char* kCheckpoints = "checkpoints";
inline constexpr const char* kLastLink = "last";
inline constexpr const char* kBestLink = "best";

/// The folder of the checkpoint of one update: of the schedule, or there to resume from.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run, std::int64_t update);
std::filesystem::path interim_folder(const std::filesystem::path& run, std::int64_t update);
/// The update that a folder of either name is of; nothing for another name.
std::optional<std::int64_t> checkpoint_update(const std::filesystem::path& folder);

/// The folders of all complete checkpoints of the schedule up to that of `update`, in order.
std::vector<std::filesystem::path> checkpoints_in(
    const std::filesystem::path& run,
    std::int64_t update = std::numeric_limits<std::int64_t>::max());
/// Those that are there to resume from, in order.
std::vector<std::filesystem::path> interim_checkpoints_in(const std::filesystem::path& run);
/// Whether a run in the folder has anything to resume from, a copy in the place of a link included.
bool has_begun(const std::filesystem::path& run);

/// The checkpoint's name that a link tells, whether that is there or not: of a symbolic link, or of
/// the small text file that some tools (git, unzip) write in its place.
std::optional<std::string> named_by_link(const std::filesystem::path& link);
/// The checkpoint of this run that its link `name` leads to.
std::optional<std::filesystem::path> linked_checkpoint(const std::filesystem::path& run,
                                                       const std::string& name);

/// Where a run may be resumed, the first choice first: its last checkpoint, then older ones.
/// Without a link "last", all from the newest on.
std::vector<std::filesystem::path> checkpoints_to_resume(const std::filesystem::path& run);
/// The last checkpoint: where the run is resumed.
std::optional<std::filesystem::path> find_last(const std::filesystem::path& run);
/// That of the best validation; nothing where there was none, or its checkpoint is gone.
std::optional<std::filesystem::path> find_best(const std::filesystem::path& run);

}  // namespace heddle
