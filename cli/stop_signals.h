// Ctrl-C and friends: the first asks to stop, the second leaves at once.
#pragma once

namespace heddle {

/// While alive, SIGINT, SIGTERM and SIGHUP are remembered instead of ending the process; the second
/// one ends it at once. One of them at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that came, or 0.
  int received() const;
};

}  // namespace heddle
