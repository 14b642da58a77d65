// Ctrl-C and friends: the first asks to stop, a second Ctrl-C leaves at once; SIGUSR1 asks to save.
//
// A thread of its own waits for them, and no thread that computes is ever interrupted: the kernels
// of oneDNN use the stack pointer as a register for the heap, so that a signal handler on their
// thread would write into other people's memory (seen with 2.6.3).
#pragma once

#include <signal.h>

#include <atomic>
#include <thread>

namespace heddle {

/// While alive, SIGINT, SIGTERM, SIGHUP and SIGUSR1 are remembered instead of ending the process;
/// the second SIGINT ends it at once. So is SIGPIPE, where the thread that asks has written to
/// somebody who has gone away. Those that are ignored stay so. One of them at a time, made before
/// the threads that compute.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The first signal that came and asks to stop, or 0.
  int received() const;
  /// Whether SIGUSR1 came since it was asked last.
  bool save_asked() { return save_.exchange(false); }

 private:
  void wait_for_signals();

  sigset_t awaited_, before_;
  bool heeds_pipe_;
  std::atomic<int> received_ = 0;
  std::atomic<bool> save_ = false;
  int signals_ = -1;  // a signalfd
  int end_ = -1;      // an eventfd: written to when it is over
  std::thread waiting_;
};

}  // namespace heddle
