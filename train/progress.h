// How far a run is, for people: a bar that redraws itself on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace heddle {

/// "1 h 02 min", "4 min 05 s", "12 s".
std::string duration(double seconds);

/// What reports and plots call it. Label smoothing adds to it, so that it is no match for the loss
/// of validations, which is measured without smoothing and dropout.
const char* training_loss_name(bool smoothed);

struct ProgressReport {
  std::int64_t update = 0;
  std::int64_t updates = 0;  // of the whole run
  double loss = 0.0;
  double tokens_per_second = 0.0;
  double learning_rate = 0.0;
  double seconds_left = 0.0;
};

class Progress {
 public:
  Progress(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}

  /// Whether losses that are shown have label smoothing; at first not.
  void set_smoothed(bool smoothed) { smoothed_ = smoothed; }
  void show(const ProgressReport& report);
  /// A line of its own, above the bar.
  void say(const std::string& line);

 private:
  std::ostream& out_;
  bool terminal_;
  bool bar_shown_ = false;
  bool smoothed_ = false;
};

}  // namespace heddle
