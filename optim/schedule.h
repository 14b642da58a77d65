// Learning rates by update, t = 1, 2, ...; W is `warmup`, D is `decay_steps`, "peak" and "final"
// are `learning_rate` and `final_learning_rate`.
//
//   noam          learning_rate * d_model^-0.5 * min(t^-0.5, t * W^-1.5)
//   inverse_sqrt  peak * sqrt(W / t)
//   cosine        final + (peak - final) * (1 + cos(pi * p)) / 2
//   linear        peak + (final - peak) * p
//   constant      peak
//
// with p = min(1, (t - W) / (D - W)). noam is equation 3 of Vaswani et al. 2017, cosine equation 5
// of Loshchilov and Hutter 2017. All but noam climb first: peak * t / W while t <= W.
#pragma once

#include <cstdint>

#include "configs/config.h"

namespace heddle {

enum class ScheduleKind : std::uint8_t { kNoam, kInverseSqrt, kCosine, kLinear, kConstant };

class Schedule {
 public:
  /// Reads "type", "warmup", "learning_rate", "final_learning_rate" and "decay_steps". `updates`
  /// are the updates of the whole run, after which a decay ends by default; 0: not known.
  Schedule(const Config& schedule, std::int64_t d_model, std::int64_t updates);

  /// The learning rate of an update, counted from 1.
  double operator()(std::int64_t update) const;

 private:
  void read_decay(const Config& schedule, std::int64_t updates);
  double decayed(double t) const;

  ScheduleKind kind_;
  double warmup_;  // updates
  double peak_;    // noam: the factor times d_model^-0.5
  double final_ = 0.0;
  double decay_steps_ = 0.0;
};

}  // namespace heddle
