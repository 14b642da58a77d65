// A loss that leaps up seldom comes down again by itself: what a run says of it, and remembers.
#pragma once

#include <string>

#include "train/run_state.h"

namespace heddle {

/// Takes the loss of a report into the running mean and says whether the run diverges, both in
/// `state`: a sentence for the user where it does, else nothing. Before the first report stands
/// the loss of a model that knows nothing of its `classes` tokens.
std::string watch_loss(RunState& state, double loss, double classes);

}  // namespace heddle
