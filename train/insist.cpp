#include "train/insist.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <thread>

#include "autograd/base/check.h"
#include "train/progress.h"

namespace heddle {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kFirstPause{1.0}, kLongestPause{30.0};

constexpr int kPassing[] = {
    // Room that may be freed, and limits that may be raised.
    ENOSPC, EDQUOT, EFBIG,
    // Rights that may be given back.
    EACCES, EPERM, EROFS,
    // Devices, file systems of networks and of FUSE, and the networks.
    EIO, ENXIO, ENODEV, EBUSY, ESTALE, EREMOTEIO, ENOTCONN, ETIMEDOUT, ENOLINK, ENETDOWN,
    ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ECONNREFUSED, ECONNRESET, ECONNABORTED,
    // Files of a folder that is to go, which another process holds on a network file system.
    ENOTEMPTY,
    // What the machine is short of.
    EAGAIN, EINTR, ENOLCK, ENOMEM, ENOBUFS, EMFILE, ENFILE};

/// What went wrong, or nothing.
std::optional<FileError> failure_of(const std::function<void()>& write) {
  try {
    write();
  } catch (const FileError& error) {
    return FileError(error.what(), error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    return FileError(error.path1().string() + ": " + error.code().message(), error.code().value());
  }
  return std::nullopt;
}

}  // namespace

bool may_pass(int code) {
  return std::ranges::find(kPassing, code) != std::end(kPassing);
}

void insist(const InsistOptions& options, const std::function<void()>& write) {
  const auto end = Clock::now() + Seconds(options.seconds);
  for (Seconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const std::optional<FileError> failure = failure_of(write);
    if (!failure) return;
    const Seconds left = end - Clock::now();
    if (!may_pass(failure->code()) || left.count() <= 0.0 || options.stop()) throw *failure;
    options.say(std::string(failure->what()) + "; the run waits and tries again for " +
                duration(left.count()));
    const auto next = Clock::now() + std::min(pause, left);
    while (Clock::now() < next && !options.stop()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

}  // namespace heddle
