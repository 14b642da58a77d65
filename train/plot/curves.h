// The charts of runs: what of their measurements is drawn, and under which titles.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/plot/chart.h"
#include "train/run_history.h"

namespace heddle {

/// Loss, every metric of the validations, learning rate, gradient norm and speed, as far as a run
/// has measured them. One run has a colour for each of its curves; several have one each.
std::vector<Chart> charts_of(std::span<const RunHistory> runs);

/// How far a run is and which validation is its best: "250 updates; best validation at update 250:
/// BLEU 31.2".
std::string summary_of(const RunHistory& run);

}  // namespace heddle
