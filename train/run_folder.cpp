#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

#include "autograd/base/atomic_file.h"
#include "autograd/base/atomic_folder.h"
#include "autograd/base/check.h"
#include "autograd/base/text_file.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheduled = "step-", kInterim = "resume-";
constexpr const char* kConfig = "config.json";
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kCache = "cache";
constexpr const char* kLock = "lock";

// Of a name like step-000500.
std::optional<std::int64_t> update_of(const fs::path& folder, std::string_view prefix) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  std::int64_t update = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, update);
  if (error != std::errc() || rest != end || update < 0) return std::nullopt;
  return update;
}

std::optional<std::int64_t> update_of(const fs::path& folder) {
  const auto scheduled = update_of(folder, kScheduled);
  return scheduled ? scheduled : update_of(folder, kInterim);
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
  std::ranges::sort(folders, {}, [](const fs::path& p) { return update_of(p); });
  return folders;
}

}  // namespace

RunFolder::RunFolder(const fs::path& path, Open how) : path_(path), how_(how) {
  const bool begun = fs::exists(path_ / kConfig) && fs::is_directory(path_ / kCheckpoints);
  const bool is_run = begun || !checkpoints().empty();
  made_ = !fs::exists(path_);
  check<FileError>(!fs::exists(path_) || fs::is_directory(path_), path_.string(),
                   ": is a file; give the folder of a run");
  // What a start left that was killed is ours, too.
  const bool ours = is_run || made_ || fs::is_empty(path_) || fs::exists(path_ / kLock);
  check<FileError>(ours, path_.string(), ": holds files that are no run; give another folder");
  check<FileError>(how != Open::kNew || !is_run, path_.string(),
                   ": holds a run; continue it with --resume, or throw it away with --force");
  std::error_code error;
  fs::create_directories(path_ / kCheckpoints, error);
  check<FileError>(!error, "cannot make ", (path_ / kCheckpoints).string(), ": ", error.message());
  lock();
  remove_leftovers();
}

RunFolder::~RunFolder() {
  if (lock_ < 0) return;
  if (is_ours()) remove_unless_begun();
  ::close(lock_);  // which unlocks
}

void RunFolder::begin(const std::string& config) {
  if (how_ == Open::kForce) {
    for (const char* old : {kCheckpoints, kMetrics}) fs::remove_all(path_ / old);
    if (fs::exists(averaged())) remove_folder(averaged());
    fs::create_directories(path_ / kCheckpoints);
  }
  write_text(path_ / kConfig, config);
  flush_name(path_);
}

// What failed before it began leaves nothing behind, so that it can be tried again.
void RunFolder::remove_unless_begun() const {
  std::error_code ignored;
  if (fs::exists(path_ / kConfig) || !checkpoints().empty()) return;
  for (const char* name : {kCheckpoints, kCache, kLock}) fs::remove_all(path_ / name, ignored);
  if (made_) fs::remove(path_, ignored);
}

// The system takes the lock away from a process that dies, so it is never stale.
void RunFolder::lock() {
  const fs::path file = path_ / kLock;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  check<FileError>(lock_ >= 0, "cannot write ", file.string(), ": ", reason_of(errno));
  std::array<char, 32> text{};
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) {
    const auto end = std::to_chars(text.begin(), text.end(), ::getpid()).ptr;
    // For people alone: a disk that is full is no reason not to begin.
    [[maybe_unused]] const int cut = ::ftruncate(lock_, 0);
    [[maybe_unused]] const ssize_t written =
        ::pwrite(lock_, text.data(), static_cast<std::size_t>(end - text.begin()), 0);
    return;
  }
  const int error = errno;
  const ssize_t size = ::pread(lock_, text.data(), text.size() - 1, 0);
  ::close(lock_);
  lock_ = -1;
  if (error != EWOULDBLOCK) fail<FileError>("cannot lock ", file.string(), ": ", reason_of(error));
  fail<FileError>(path_.string(), ": another process",
                  size > 0 ? " (" + std::string(text.data()) + ")" : "",
                  " trains in this folder; wait for its end, or give another folder with --run");
}

// Else a run would write into what took the place of its folder.
bool RunFolder::is_ours() const {
  struct stat held {
  }, there{};
  return ::fstat(lock_, &held) == 0 && ::stat((path_ / kLock).c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

// What was moved or unmounted may come back; what was deleted, or replaced, does not.
void RunFolder::check_ours() const {
  if (is_ours()) return;
  struct stat held {};
  const bool deleted = ::fstat(lock_, &held) == 0 && held.st_nlink == 0;
  const bool away = !deleted && !fs::exists(path_ / kLock);
  throw FileError(path_.string() + (away ? ": was moved away while the run went on"
                                         : ": was removed or replaced while the run went on"),
                  away ? ESTALE : 0);
}

// Of processes that were killed. In the folder itself others may write, too.
void RunFolder::remove_leftovers() const {
  for (const fs::path& name : {fs::path(kConfig), averaged().filename()}) {
    remove_temporaries(path_, name.string());
  }
  for (const char* folder : {kCheckpoints, kCache}) remove_temporaries(path_ / folder);
}

fs::path checkpoint_folder(const fs::path& run, std::int64_t update) {
  return folder_of(run, kScheduled, update);
}

fs::path RunFolder::checkpoint(std::int64_t update) const {
  return checkpoint_folder(path_, update);
}

void RunFolder::write_checkpoint(std::int64_t update, const Fill& fill) {
  check_ours();
  write_folder(checkpoint(update), fill);
  settle(update);
}

void RunFolder::settle(std::int64_t update) {
  if (pointed("last") != update ||
      !fs::equivalent(path_ / kCheckpoints / "last", checkpoint(update))) {
    point("last", update);
  }
  for (const fs::path& folder : folders_in(path_, kInterim)) {
    if (update_of(folder) <= update) remove_folder(folder);
  }
}

void RunFolder::write_interim(std::int64_t update, const Fill& fill) {
  check_ours();
  const fs::path folder = folder_of(path_, kInterim, update);
  write_folder(folder, fill);
  point_to("last", folder);
  for (const fs::path& other : folders_in(path_, kInterim)) {
    if (other != folder) remove_folder(other);
  }
}

void RunFolder::write_averaged(const Fill& fill) {
  check_ours();
  write_folder(averaged(), fill);
}

void RunFolder::point(const std::string& name, std::int64_t update) {
  point_to(name, checkpoint(update));
}

void RunFolder::point_to(const std::string& name, const fs::path& folder) const {
  replace_link(path_ / kCheckpoints / name, folder.filename());
}

std::optional<std::int64_t> pointed_in(const fs::path& run, const std::string& name) {
  std::error_code error;
  const fs::path linked = fs::read_symlink(run / kCheckpoints / name, error);
  if (error || !fs::is_directory(run / kCheckpoints / linked.filename())) return std::nullopt;
  return update_of(linked);
}

std::optional<std::int64_t> RunFolder::pointed(const std::string& name) const {
  return pointed_in(path_, name);
}

std::vector<fs::path> checkpoints_in(const fs::path& run, std::int64_t update) {
  std::vector<fs::path> folders = folders_in(run, kScheduled);
  std::erase_if(folders, [&](const fs::path& folder) { return update_of(folder) > update; });
  return folders;
}

std::vector<std::int64_t> RunFolder::checkpoints() const {
  std::vector<std::int64_t> updates;
  for (const fs::path& folder : checkpoints_in(path_)) updates.push_back(*update_of(folder));
  return updates;
}

void RunFolder::go_back(std::optional<std::int64_t> update, std::int64_t until) {
  if (update) {
    point("last", *update);
  } else {
    fs::remove(path_ / kCheckpoints / "last");
  }
  const auto is_behind = [&](const fs::path& folder) {
    return !update || (update_of(folder) > update && update_of(folder) <= until);
  };
  for (const fs::path& folder : folders_in(path_, kInterim)) {
    if (is_behind(folder)) remove_folder(folder);
  }
  std::vector<fs::path> scheduled = checkpoints_in(path_);
  std::ranges::reverse(scheduled);
  for (const fs::path& folder : scheduled) {
    if (is_behind(folder)) remove_folder(folder);
  }
  if (!pointed("best")) fs::remove(path_ / kCheckpoints / "best");
}

bool has_begun(const fs::path& run) {
  return !folders_in(run, kScheduled).empty() || !folders_in(run, kInterim).empty();
}

std::vector<fs::path> RunFolder::to_resume() const {
  std::vector<fs::path> folders = folders_in(path_, kInterim);
  for (fs::path& folder : checkpoints_in(path_)) folders.push_back(std::move(folder));
  std::ranges::stable_sort(folders, std::ranges::greater(),
                           [](const fs::path& p) { return update_of(p); });
  const auto last = pointed("last");
  if (!last) return folders;
  std::erase_if(folders, [&](const fs::path& p) { return update_of(p) > last; });
  const fs::path linked = fs::read_symlink(path_ / kCheckpoints / "last").filename();
  std::stable_partition(folders.begin(), folders.end(),
                        [&](const fs::path& p) { return p.filename() == linked; });
  return folders;
}

void RunFolder::remove_checkpoint(std::int64_t update) {
  remove_folder(checkpoint(update));
}

}  // namespace heddle
