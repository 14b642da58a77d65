// Writing that does not give up at the first failure: disks fill up and file systems go away for a
// while, and a run of days is worth waiting for. What time cannot mend, such as a folder in the
// place of a file, fails at once.
#pragma once

#include <functional>
#include <string>

namespace heddle {

struct InsistOptions {
  double seconds = 0.0;                         // to try again for
  std::function<void(const std::string&)> say;  // told of every failure
  std::function<bool()> stop;                   // asked meanwhile: then it is given up
};

/// Whether an error of the system (errno) may go away while a run waits: space, quotas, limits,
/// rights, devices, networks.
bool may_pass(int code);

/// Calls `write`, and as long as it throws a FileError or a filesystem_error whose code may pass,
/// again, with ever longer pauses. Throws the last one as a FileError.
void insist(const InsistOptions& options, const std::function<void()>& write);

}  // namespace heddle
