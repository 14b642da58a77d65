#include "train/insist.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "autograd/base/check.h"
#include "train/progress.h"

namespace heddle {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kFirstPause{1.0}, kLongestPause{30.0};

/// What went wrong, or nothing.
std::string failure_of(const std::function<void()>& write) {
  try {
    write();
  } catch (const FileError& error) {
    return error.what();
  } catch (const std::filesystem::filesystem_error& error) {
    return error.path1().string() + ": " + error.code().message();
  }
  return "";
}

}  // namespace

void insist(const InsistOptions& options, const std::function<void()>& write) {
  const auto end = Clock::now() + Seconds(options.seconds);
  for (Seconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const std::string failure = failure_of(write);
    if (failure.empty()) return;
    const Seconds left = end - Clock::now();
    if (left.count() <= 0.0 || options.stop()) fail<FileError>(failure);
    options.say(failure + "; the run waits and tries again for " + duration(left.count()));
    const auto next = Clock::now() + std::min(pause, left);
    while (Clock::now() < next && !options.stop()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

}  // namespace heddle
