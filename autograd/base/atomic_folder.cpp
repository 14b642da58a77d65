#include "autograd/base/atomic_folder.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "autograd/base/atomic_file.h"
#include "autograd/base/check.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

void check_written(const fs::path& path, const std::error_code& error) {
  if (error) fail_with_code(error.value(), "cannot write ", path.string());
}

// The system's number of what went wrong, 0 where nothing did.
int rename_with(const fs::path& from, const fs::path& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

void rename_new(const fs::path& from, const fs::path& to) {
  int error = rename_with(from, to, RENAME_NOREPLACE);
  // Not every file system can promise that, those of networks for example.
  if (error == EINVAL) error = fs::exists(to) ? EEXIST : rename_with(from, to, 0);
  check<FileError>(error != EEXIST, to.string(), ": is there already; give a new folder");
  check_written(to, std::error_code(error, std::generic_category()));
}

void rename_in_place(const fs::path& from, const fs::path& to) {
  if (rename_with(from, to, RENAME_EXCHANGE) == 0) {
    flush_name(to);  // before the older one goes
    fs::remove_all(from);
    return;
  }
  const fs::path old = temporary_name(to.string() + ".old");
  std::error_code error, ignored;
  fs::rename(to, old, error);
  check_written(to, error);
  fs::rename(from, to, error);
  if (error) fs::rename(old, to, ignored);
  check_written(to, error);
  flush_name(to);
  fs::remove_all(old);
}

}  // namespace

void write_folder(const fs::path& path, const std::function<void(const fs::path&)>& fill,
                  Existing existing) {
  const fs::path temporary = temporary_name(path);
  std::error_code error;
  fs::remove_all(temporary, error);
  if (error) fail_with_code(error.value(), "cannot remove ", temporary.string());
  fs::create_directory(temporary, error);
  if (error) fail_with_code(error.value(), "cannot make ", temporary.string());
  try {
    fill(temporary);
    for (const auto& entry : fs::directory_iterator(temporary)) flush_to_disk(entry.path());
    flush_to_disk(temporary);
    if (existing == Existing::kReplace && fs::exists(path)) {
      rename_in_place(temporary, path);
    } else {
      rename_new(temporary, path);
      flush_name(path);
    }
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
}

void remove_folder(const fs::path& path) {
  const fs::path temporary = temporary_name(path);
  std::error_code error;
  fs::rename(path, temporary, error);
  if (!error) fs::remove_all(temporary, error);
  if (error) fail_with_code(error.value(), "cannot remove ", path.string());
}

bool replace_link(const fs::path& link, const fs::path& name, MakeLink make) {
  const fs::path temporary = temporary_name(link);
  std::error_code error, ignored;
  fs::remove(temporary, ignored);
  bool made = make(name.c_str(), temporary.c_str()) == 0;
  if (made) fs::rename(temporary, link, error);
  if (error) {
    made = false;
    fs::remove(temporary, ignored);
  }
  // One that points elsewhere would mislead.
  if (!made) fs::remove(link, error);
  if (!made && error) fail_with_code(error.value(), "cannot remove ", link.string());
  flush_name(link);
  return made;
}

void remove_temporaries(const fs::path& folder, const std::string& name) {
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> temporaries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool named = name.empty() || entry.path().filename().string().starts_with(name + ".");
    if (named && is_temporary_name(entry.path())) temporaries.push_back(entry.path());
  }
  for (const fs::path& path : temporaries) fs::remove_all(path);
}

}  // namespace heddle
