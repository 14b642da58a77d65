// Which checkpoints of a run are worth keeping and averaging.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "decode/metrics/scores.h"
#include "train/run_state.h"

namespace heddle {

/// Takes a validation into the list of the `keep` best, the best first. Without a metric less is
/// better; of equal values of a metric that with less loss is better, and of equals in both the
/// earlier one. Returns its rank, from 0, or nothing where it is none of them.
std::optional<std::size_t> take_validation(std::vector<RunState::Validated>& best,
                                           const RunState::Validated& validated, std::int64_t keep,
                                           std::optional<Metric> best_by);

/// The same with the list of a run's state, which also counts for train.patience: validations in a
/// row in which neither the value nor the loss was better than ever before.
std::optional<std::size_t> judge_validation(RunState& state, const RunState::Validated& validated,
                                            std::int64_t keep, std::optional<Metric> best_by);

/// The folders of the last `count` checkpoints of a run that is at `update`, the oldest first;
/// fewer where there are fewer. Newer ones are of before somebody let "last" point to an older one.
std::vector<std::filesystem::path> last_checkpoints(const std::filesystem::path& run,
                                                    std::int64_t update, std::int64_t count);
/// Those of the best validations that `state` knows, the best first.
std::vector<std::filesystem::path> best_checkpoints(const std::filesystem::path& run,
                                                    const RunState& state, std::int64_t count);

}  // namespace heddle
