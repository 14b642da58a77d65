#include "train/selection.h"

#include <algorithm>

#include "train/run_folder.h"

namespace heddle {

namespace fs = std::filesystem;

std::optional<std::size_t> take_validation(std::vector<RunState::Validated>& best,
                                           const RunState::Validated& validated, std::int64_t keep,
                                           std::optional<Metric> best_by) {
  if (std::ssize(best) > keep) best.resize(static_cast<std::size_t>(keep));  // was more once
  const bool more = best_by && higher_is_better(*best_by);
  // Runs of earlier versions know no losses: then values alone count.
  const auto better = [&](const RunState::Validated& a, const RunState::Validated& b) {
    if (a.value != b.value) return more ? a.value > b.value : a.value < b.value;
    return a.loss && b.loss && *a.loss < *b.loss;
  };
  const auto place = std::ranges::upper_bound(best, validated, better);
  const auto rank = place - best.begin();
  if (rank >= keep) return std::nullopt;
  best.insert(place, validated);
  if (std::ssize(best) > keep) best.resize(static_cast<std::size_t>(keep));
  return static_cast<std::size_t>(rank);
}

std::optional<std::size_t> judge_validation(RunState& state, const RunState::Validated& validated,
                                            std::int64_t keep, std::optional<Metric> best_by) {
  const auto rank = take_validation(state.best, validated, keep, best_by);
  const bool less_loss = validated.loss && state.least_loss && *validated.loss < *state.least_loss;
  if (validated.loss) {
    state.least_loss = std::min(state.least_loss.value_or(*validated.loss), *validated.loss);
  }
  const bool progress = rank == 0U || less_loss;
  state.validations_since_best = progress ? 0 : state.validations_since_best + 1;
  return rank;
}

std::vector<fs::path> last_checkpoints(const fs::path& run, std::int64_t update,
                                       std::int64_t count) {
  std::vector<fs::path> checkpoints = checkpoints_in(run, update);
  const auto there = std::min<std::int64_t>(std::ssize(checkpoints), count);
  checkpoints.erase(checkpoints.begin(), checkpoints.end() - there);
  return checkpoints;
}

std::vector<fs::path> best_checkpoints(const fs::path& run, const RunState& state,
                                       std::int64_t count) {
  std::vector<fs::path> checkpoints;
  for (const RunState::Validated& validated : state.best) {
    if (std::ssize(checkpoints) == count) break;
    checkpoints.push_back(checkpoint_folder(run, validated.update));
  }
  return checkpoints;
}

}  // namespace heddle
