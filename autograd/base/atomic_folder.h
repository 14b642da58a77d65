// Folders and links that appear whole or not at all, also when the machine stops in between: what
// AtomicFile is for files, and with the same temporary names.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

namespace heddle {

enum class Existing {
  kReplace,
  kKeep  // then it is an error
};

/// `fill` gets an empty folder; what it writes there is flushed to the disk and becomes `path`.
/// Throws FileError with the path and the system's reason, as all of these do, and what `fill`
/// throws; then `path` is as it was.
void write_folder(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path&)>& fill,
                  Existing existing = Existing::kReplace);

/// Half a folder never has this name.
void remove_folder(const std::filesystem::path& path);

/// What symlink() is to the system.
using MakeLink = int (*)(const char* target, const char* link);

/// `link` points to `name`, which lies beside it, and to nothing else at any time. False where no
/// link can be made, as on file systems that have none: then an older one is gone, too.
bool replace_link(const std::filesystem::path& link, const std::filesystem::path& name,
                  MakeLink make = &::symlink);

/// Takes away what processes that were killed left in `folder` under temporary names: all, or those
/// of what is to be called `name`. Nobody else may write that meanwhile.
void remove_temporaries(const std::filesystem::path& folder, const std::string& name = "");

}  // namespace heddle
