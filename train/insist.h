// Writing that does not give up at the first failure: disks fill up and file systems go away for a
// while, and a run of days is worth waiting for.
#pragma once

#include <functional>
#include <string>

namespace heddle {

struct InsistOptions {
  double seconds = 0.0;                         // to try again for
  std::function<void(const std::string&)> say;  // told of every failure
  std::function<bool()> stop;                   // asked meanwhile: then it is given up
};

/// Calls `write` until it throws no FileError, with ever longer pauses. Throws the last one.
void insist(const InsistOptions& options, const std::function<void()>& write);

}  // namespace heddle
