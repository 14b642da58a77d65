#include "decode/run_checkpoints.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "decode/seal.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheduled = "step-", kInterim = "resume-";

// The number in a folder name such as step-000500; empty for any other name.
std::optional<std::int64_t> update_of(const fs::path& folder, std::string_view prefix) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  std::int64_t update = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, update);
  if (error != std::errc() || rest != end || update < 0) return std::nullopt;
  return update;
}

fs::path folder_of(const fs::path& run, std::string_view prefix, std::int64_t update) {
  std::string digits = std::to_string(update);
  digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
  return run / kCheckpoints / std::string(prefix).append(digits);
}

/// By update.
std::vector<fs::path> folders_in(const fs::path& run, std::string_view prefix) {
  std::vector<fs::path> folders;
  if (!fs::is_directory(run / kCheckpoints)) return folders;
  for (const auto& entry : fs::directory_iterator(run / kCheckpoints)) {
    const bool is_one = update_of(entry.path(), prefix) && !entry.is_symlink();
    if (is_one && entry.is_directory()) folders.push_back(entry.path());
  }
  std::ranges::sort(folders, {}, [](const fs::path& p) { return checkpoint_update(p); });
  return folders;
}

/// The updates of the best validations that a checkpoint knows, the best first; nothing where its
/// state is missing or damaged.
std::optional<std::vector<std::int64_t>> best_validations(const fs::path& checkpoint) {
  std::vector<std::int64_t> updates;
  try {
    const auto state = nlohmann::json::parse(read_sealed(checkpoint / kStateFile));
    for (const nlohmann::json& best : state.at("best")) {
      updates.push_back(best.at("update").get_ref<const nlohmann::json::number_integer_t&>());
    }
  } catch (const FileError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return updates;
}

}  // namespace

fs::path checkpoint_folder(const fs::path& run, std::int64_t update) {
  return folder_of(run, kScheduled, update);
}

fs::path interim_folder(const fs::path& run, std::int64_t update) {
  return folder_of(run, kInterim, update);
}

std::optional<std::int64_t> checkpoint_update(const fs::path& folder) {
  const auto scheduled = update_of(folder, kScheduled);
  return scheduled ? scheduled : update_of(folder, kInterim);
}

std::vector<fs::path> checkpoints_in(const fs::path& run, std::int64_t update) {
  std::vector<fs::path> folders = folders_in(run, kScheduled);
  std::erase_if(folders,
                [&](const fs::path& folder) { return checkpoint_update(folder) > update; });
  return folders;
}

std::vector<fs::path> interim_checkpoints_in(const fs::path& run) {
  return folders_in(run, kInterim);
}

bool has_begun(const fs::path& run) {
  const auto is_there = [&](const char* copy) {
    return fs::exists(run / kCheckpoints / copy / kStateFile);
  };
  return !folders_in(run, kScheduled).empty() || !folders_in(run, kInterim).empty() ||
         is_there(kLastLink) || is_there(kBestLink);
}

std::optional<std::string> named_by_link(const fs::path& link) {
  constexpr std::uintmax_t kLongest = 64;
  std::error_code error;
  std::string text = fs::read_symlink(link, error).string();
  const bool small_file = error && fs::is_regular_file(fs::symlink_status(link, error)) &&
                          fs::file_size(link, error) <= kLongest;
  if (small_file) std::ifstream(link, std::ios::binary) >> text;
  const fs::path name = fs::path(text).filename();
  return checkpoint_update(name) ? std::optional(name.string()) : std::nullopt;
}

std::optional<fs::path> linked_checkpoint(const fs::path& run, const std::string& name) {
  const auto linked = named_by_link(run / kCheckpoints / name);
  if (!linked || !fs::is_directory(run / kCheckpoints / *linked)) return std::nullopt;
  return run / kCheckpoints / *linked;
}

std::vector<fs::path> checkpoints_to_resume(const fs::path& run) {
  std::vector<fs::path> folders = interim_checkpoints_in(run);
  for (fs::path& folder : checkpoints_in(run)) folders.push_back(std::move(folder));
  std::ranges::stable_sort(folders, std::ranges::greater(),
                           [](const fs::path& p) { return checkpoint_update(p); });
  const auto last = linked_checkpoint(run, kLastLink);
  if (!last) return folders;
  std::erase_if(folders,
                [&](const fs::path& p) { return checkpoint_update(p) > checkpoint_update(*last); });
  std::stable_partition(folders.begin(), folders.end(),
                        [&](const fs::path& p) { return p == *last; });
  return folders;
}

std::optional<fs::path> find_last(const fs::path& run) {
  const std::vector<fs::path> folders = checkpoints_to_resume(run);
  return folders.empty() ? std::nullopt : std::optional(folders.front());
}

std::optional<fs::path> find_best(const fs::path& run) {
  if (auto linked = linked_checkpoint(run, kBestLink)) return linked;
  for (const fs::path& checkpoint : checkpoints_to_resume(run)) {
    const auto updates = best_validations(checkpoint);
    if (!updates) continue;
    for (const std::int64_t update : *updates) {
      const fs::path folder = checkpoint_folder(run, update);
      if (fs::is_directory(folder)) return folder;
    }
    break;
  }
  return std::nullopt;
}

}  // namespace heddle
