#include "train/divergence.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace heddle {

std::string watch_loss(RunState& state, double loss, double classes) {
  constexpr double kFar = 1.5, kAtLeast = 0.5, kKept = 0.9;
  if (!std::isfinite(loss)) return "";
  const double mean = state.mean_loss.value_or(std::log(classes));
  const double far = kFar * mean + kAtLeast;
  state.diverging = loss > far;
  state.mean_loss = kKept * mean + (1.0 - kKept) * std::min(loss, far);
  if (!state.diverging) return "";
  std::ostringstream text;
  text << std::setprecision(3) << "the loss diverges: " << loss << " at update " << state.update
       << ", but " << mean
       << " in the reports before; if it stays there, begin again with a lower "
          "schedule.learning_rate or a longer schedule.warmup";
  return text.str();
}

}  // namespace heddle
