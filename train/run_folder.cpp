#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "autograd/base/atomic_file.h"
#include "autograd/base/atomic_folder.h"
#include "autograd/base/check.h"
#include "autograd/base/mapped_file.h"
#include "autograd/base/nearest.h"
#include "autograd/base/text_file.h"
#include "decode/seal.h"
#include "train/run_state.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kCache = "cache";
constexpr const char* kLock = "lock";

bool same_bytes(const fs::path& a, const fs::path& b) {
  if (!fs::is_regular_file(a) || !fs::is_regular_file(b)) return false;
  if (fs::file_size(a) != fs::file_size(b)) return false;
  const MappedFile one(a, MapMode::kReadOnly), other(b, MapMode::kReadOnly);
  return std::ranges::equal(one.bytes(), other.bytes());
}

/// Whether all that a folder holds is in the checkpoint, too, so that nothing is lost without it.
bool is_copy(const fs::path& folder, const fs::path& checkpoint) {
  const auto entries = fs::directory_iterator(folder);
  return std::all_of(begin(entries), end(entries), [&](const fs::directory_entry& entry) {
    return same_bytes(entry.path(), checkpoint / entry.path().filename());
  });
}

/// A name beside `path` that nothing has yet.
fs::path free_name(const fs::path& path) {
  for (int number = 1;; ++number) {
    const fs::path name = path.string() + (number == 1 ? ".old" : ".old-" + std::to_string(number));
    if (!fs::exists(fs::symlink_status(name))) return name;
  }
}

/// In full, so that another working directory than was meant is seen.
fs::path normal(const fs::path& path) {
  const fs::path full = fs::absolute(path).lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

/// `; did you mean "..."?` where a run beside this one has nearly its name. Those that differ only
/// in a number, such as a seed, are different runs.
std::string similar_run(const fs::path& run) {
  const std::string given = normal(run).filename().string();
  std::vector<std::string> names;
  try {
    for (const auto& entry : fs::directory_iterator(normal(run).parent_path())) {
      const std::string name = entry.path().filename().string();
      const bool of_a_series = without_digits(name) == without_digits(given);
      if (!of_a_series && has_begun(entry.path())) names.push_back(name);
    }
  } catch (const fs::filesystem_error&) {
    return "";  // what cannot be read is no help
  }
  std::ranges::sort(names);  // the same answer on each file system
  return suggestion(given, std::vector<std::string_view>(names.begin(), names.end()));
}

}  // namespace

RunFolder::RunFolder(const fs::path& path, Open how, Say say)
    : path_(path), how_(how), say_(std::move(say)) {
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
  if (how != Open::kContinue) return;
  adopt_copies();
  if (!has_begun(path_)) {
    say_("no checkpoint in " + normal(path_).string() + "; training starts at update 0" +
         (made_ ? similar_run(path_) : ""));
  }
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
  if (how_ == Open::kContinue) mend_links();
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
  if (error == ENOSYS || error == EOPNOTSUPP) {
    say_(path_.string() +
         ": this file system has no locks, so nothing keeps a second process from "
         "training here");
    return;
  }
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

fs::path RunFolder::checkpoint(std::int64_t update) const {
  return checkpoint_folder(path_, update);
}

void RunFolder::write_checkpoint(std::int64_t update, const Fill& fill) {
  check_ours();
  write_folder(checkpoint(update), fill);
  settle(update);
}

void RunFolder::settle(std::int64_t update) {
  point(kLastLink, update);
  for (const fs::path& folder : interim_checkpoints_in(path_)) {
    if (checkpoint_update(folder) <= update) remove_folder(folder);
  }
}

void RunFolder::write_interim(std::int64_t update, const Fill& fill) {
  check_ours();
  const fs::path folder = interim_folder(path_, update);
  write_folder(folder, fill);
  point_to(kLastLink, folder);
  for (const fs::path& other : interim_checkpoints_in(path_)) {
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
  const fs::path link = path_ / kCheckpoints / name;
  std::error_code error;
  if (fs::read_symlink(link, error) == folder.filename()) return;
  clear_place(link);
  replace_link(link, folder.filename());
}

// A copy may have made a folder of a link. What no checkpoint holds is kept beside it.
void RunFolder::clear_place(const fs::path& link) const {
  const fs::file_status there = fs::symlink_status(link);
  if (!fs::exists(there) || fs::is_symlink(there) || named_by_link(link)) return;
  if (fs::is_directory(there)) {
    for (const fs::path& checkpoint : checkpoints_to_resume(path_)) {
      if (is_copy(link, checkpoint)) return remove_folder(link);
    }
  }
  const fs::path kept = free_name(link);
  fs::rename(link, kept);
  say_(link.string() + " was no link, and holds what no checkpoint does; it is now " +
       kept.string());
}

// A copy that followed links and holds nothing else: its checkpoints get their own names back.
void RunFolder::adopt_copies() const {
  for (const char* name : {kLastLink, kBestLink}) {
    const fs::path copy = path_ / kCheckpoints / name;
    if (!fs::is_directory(fs::symlink_status(copy)) || !fs::exists(copy / kStateFile)) continue;
    try {
      const RunState state = read_state(copy / kStateFile);
      const bool of_schedule = name == kBestLink || state.good == state.update;
      const fs::path scheduled = checkpoint(state.update);
      const fs::path interim = interim_folder(path_, state.update);
      if (fs::exists(scheduled) || fs::exists(interim)) continue;
      fs::rename(copy, of_schedule ? scheduled : interim);
      say_(copy.string() + " is a folder in the place of a link; it is now " +
           (of_schedule ? scheduled : interim).filename().string());
    } catch (const Damaged&) {
      continue;  // it stays what it is
    }
  }
}

void RunFolder::mend_links() const {
  const auto mend = [&](const char* name, const std::optional<fs::path>& checkpoint) {
    const bool good = fs::is_symlink(path_ / kCheckpoints / name) && linked_checkpoint(path_, name);
    if (checkpoint && !good) point_to(name, *checkpoint);
  };
  mend(kLastLink, find_last(path_));
  mend(kBestLink, find_best(path_));
}

std::optional<std::int64_t> RunFolder::pointed(const std::string& name) const {
  const auto folder = name == kBestLink ? find_best(path_) : find_last(path_);
  return folder ? checkpoint_update(*folder) : std::nullopt;
}

std::vector<std::int64_t> RunFolder::checkpoints() const {
  std::vector<std::int64_t> updates;
  for (const fs::path& folder : checkpoints_in(path_))
    updates.push_back(*checkpoint_update(folder));
  return updates;
}

void RunFolder::go_back(std::optional<std::int64_t> update, std::int64_t until) {
  if (update) {
    point(kLastLink, *update);
  } else {
    remove_link(kLastLink);
  }
  const auto is_behind = [&](const fs::path& folder) {
    return !update || (checkpoint_update(folder) > update && checkpoint_update(folder) <= until);
  };
  for (const fs::path& folder : interim_checkpoints_in(path_)) {
    if (is_behind(folder)) remove_folder(folder);
  }
  std::vector<fs::path> scheduled = checkpoints_in(path_);
  std::ranges::reverse(scheduled);
  for (const fs::path& folder : scheduled) {
    if (is_behind(folder)) remove_folder(folder);
  }
  if (!linked_checkpoint(path_, kBestLink)) remove_link(kBestLink);
}

void RunFolder::remove_link(const std::string& name) const {
  const fs::path link = path_ / kCheckpoints / name;
  clear_place(link);
  fs::remove(link);
}

std::vector<fs::path> RunFolder::to_resume() const {
  return checkpoints_to_resume(path_);
}

void RunFolder::remove_checkpoint(std::int64_t update) {
  remove_folder(checkpoint(update));
}

}  // namespace heddle
