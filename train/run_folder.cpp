#include "train/run_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

#include "autograd/base/atomic_file.h"
#include "autograd/base/check.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr const char* kTemporary = ".writing";

std::string reason(int error) {
  return std::generic_category().message(error);
}

// Of a name like step-000500.
std::optional<std::int64_t> update_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t update = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, update);
  if (error != std::errc() || rest != end || update < 0) return std::nullopt;
  return update;
}

void flush(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // what cannot be opened cannot be flushed, but is written
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  check<FileError>(error == 0 || error == EINVAL, "cannot write ", path.string(), ": ",
                   reason(error));
}

void rename_to(const fs::path& from, const fs::path& to) {
  const bool replaces = fs::exists(to);
  const int result =
      replaces ? ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE)
               : ::rename(from.c_str(), to.c_str());
  check<FileError>(result == 0, "cannot write ", to.string(), ": ", reason(errno));
  if (replaces) fs::remove_all(from);
}

}  // namespace

RunFolder::RunFolder(const fs::path& path, Open how) : path_(path), how_(how) {
  const bool is_run = fs::exists(path_ / "config.json") || !checkpoints().empty();
  made_ = !fs::exists(path_);
  check<FileError>(!fs::exists(path_) || fs::is_directory(path_), path_.string(),
                   ": is a file; give the folder of a run");
  check<FileError>(how != Open::kContinue || is_run, path_.string(), ": holds no run to resume");
  check<FileError>(how != Open::kNew || !is_run, path_.string(),
                   ": holds a run; continue it with --resume, or throw it away with --force");
  std::error_code error;
  fs::create_directories(path_ / "checkpoints", error);
  check<FileError>(!error, "cannot make ", (path_ / "checkpoints").string(), ": ", error.message());
  lock();
  remove_leftovers();
}

RunFolder::~RunFolder() {
  if (lock_ < 0) return;
  remove_unless_begun();
  ::close(lock_);  // which unlocks
}

void RunFolder::begin(const std::string& config) {
  if (how_ == Open::kForce) {
    for (const char* old : {"checkpoints", "metrics.jsonl"}) fs::remove_all(path_ / old);
    fs::create_directories(path_ / "checkpoints");
  }
  AtomicFile file(path_ / "config.json");
  file.write(config.data(), config.size());
  file.commit();
}

// What failed before it began leaves nothing behind, so that it can be tried again.
void RunFolder::remove_unless_begun() const {
  std::error_code ignored;
  if (fs::exists(path_ / "config.json") || !checkpoints().empty()) return;
  for (const char* name : {"checkpoints", "cache", "lock"}) fs::remove_all(path_ / name, ignored);
  if (made_) fs::remove(path_, ignored);
}

// The system takes the lock away from a process that dies, so it is never stale.
void RunFolder::lock() {
  const fs::path file = path_ / "lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  check<FileError>(lock_ >= 0, "cannot write ", file.string(), ": ", reason(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(lock_);
  lock_ = -1;
  fail<FileError>(path_.string(), ": ",
                  error == EWOULDBLOCK ? "another process trains in this folder" : reason(error));
}

void RunFolder::remove_leftovers() {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints")) {
    if (entry.path().extension() == kTemporary) leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

fs::path RunFolder::checkpoint(std::int64_t update) const {
  std::string digits = std::to_string(update);
  digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
  return path_ / "checkpoints" / std::string(kPrefix).append(digits);
}

void RunFolder::write_checkpoint(std::int64_t update,
                                 const std::function<void(const fs::path&)>& write) {
  const fs::path final_path = checkpoint(update);
  fs::path temporary = final_path;
  temporary += kTemporary;
  fs::remove_all(temporary);
  try {
    std::error_code error;
    fs::create_directory(temporary, error);
    check<FileError>(!error, "cannot make ", temporary.string(), ": ", error.message());
    write(temporary);
    for (const auto& entry : fs::directory_iterator(temporary)) flush(entry.path());
    flush(temporary);
    rename_to(temporary, final_path);
    flush(final_path.parent_path());
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

void RunFolder::point(const std::string& name, std::int64_t update) {
  const fs::path link = path_ / "checkpoints" / name;
  fs::path temporary = link;
  temporary += kTemporary;
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_symlink(checkpoint(update).filename(), temporary, error);
  if (!error) fs::rename(temporary, link, error);
  check<FileError>(!error, "cannot write ", link.string(), ": ", error.message());
  flush(link.parent_path());
}

std::optional<std::int64_t> RunFolder::pointed(const std::string& name) const {
  std::error_code error;
  const fs::path target = fs::read_symlink(path_ / "checkpoints" / name, error);
  if (error) return std::nullopt;
  const auto update = update_of(target.filename().string());
  return update && fs::is_directory(checkpoint(*update)) ? update : std::nullopt;
}

std::vector<std::int64_t> RunFolder::checkpoints() const {
  std::vector<std::int64_t> updates;
  if (!fs::is_directory(path_ / "checkpoints")) return updates;
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints")) {
    const auto update = update_of(entry.path().filename().string());
    if (update && entry.is_directory()) updates.push_back(*update);
  }
  std::ranges::sort(updates);
  return updates;
}

void RunFolder::remove_checkpoint(std::int64_t update) {
  // Renamed first: half a checkpoint never has the name of a whole one.
  const fs::path folder = checkpoint(update);
  fs::path temporary = folder;
  temporary += kTemporary;
  std::error_code error;
  fs::rename(folder, temporary, error);
  if (!error) fs::remove_all(temporary, error);
  check<FileError>(!error, "cannot remove ", folder.string(), ": ", error.message());
}

}  // namespace heddle
