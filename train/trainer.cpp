#include "train/trainer.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "optim/clip.h"
#include "train/checkpoint.h"
#include "train/divergence.h"
#include "train/selection.h"
#include "train/version.h"

namespace heddle {

namespace {

/// The user does not want to wait for the end of a validation.
class Left : public std::exception {};

std::function<void()> leaving(const Requests& user) {
  return [&user] {
    if (user.hurry()) throw Left();
  };
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

const Tokenizer* if_sampling(const Tokenizer& tokenizer) {
  return tokenizer.samples() ? &tokenizer : nullptr;
}

LaneOptions lane_options(const Settings& settings, int threads) {
  return {.lanes = static_cast<int>(settings.train.lanes.value()),
          .threads = threads,
          .label_smoothing = settings.train.label_smoothing};
}

/// The first few.
std::string lines_text(const std::vector<std::int64_t>& lines) {
  constexpr std::size_t kShown = 8;
  std::string text = "lines";
  for (std::size_t i = 0; i < std::min(kShown, lines.size()); ++i) {
    text += (i == 0 ? " " : ", ") + std::to_string(lines[i]);
  }
  if (lines.size() <= kShown) return text;
  return text + " and " + std::to_string(lines.size() - kShown) + " more (metrics.jsonl has all)";
}

BatchOptions batch_options(const Settings& settings, const Tokenizers& tokenizers) {
  BatchOptions options;
  options.batch_tokens = settings.train.batch_tokens;
  options.max_source_tokens = settings.train.max_source_tokens;
  options.seed = settings.seed;
  options.source_sampler = if_sampling(tokenizers.source());
  options.target_sampler = if_sampling(tokenizers.target());
  options.max_length = settings.data.max_length;
  return options;
}

}  // namespace

Trainer::Trainer(const Parts& parts, const RunState& state, bool saved)
    : parts_(parts),
      config_(parts.settings.train),
      state_(state),
      lanes_(parts.learner.transformer, parts.learner.store,
             lane_options(parts.settings, parts.threads)),
      translator_(parts.learner.transformer, parts.tokenizers,
                  {.limit = parts.settings.decode.limit,
                   .beam = parts.settings.train.validation_beam,
                   .length_penalty = parts.settings.decode.length_penalty,
                   .scores = false,
                   .longest_source = parts.settings.data.max_length,
                   .threads = parts.threads,
                   .contexts = lanes_.contexts(),
                   .tick = leaving(parts.user)}),
      batch_options_(batch_options(parts.settings, parts.tokenizers)),
      stream_(parts.corpora.train(), batch_options_, state.cursor),
      micro_batches_(lanes_.count(), config_.lane_tokens),
      saved_(saved ? state.update : -1),
      first_update_(state.update) {
  lanes_.set_profile(parts.profile);
  state_.build = version_text();
}

bool Trainer::out_of_patience() const {
  return config_.patience && state_.validations_since_best >= *config_.patience;
}

bool Trainer::finished() const {
  return out_of_patience() || (config_.steps && state_.update >= *config_.steps) ||
         (config_.epochs && state_.cursor.epoch >= *config_.epochs);
}

// Of the whole run, by whichever end is nearer.
double Trainer::share_done() const {
  double share = 0.0;
  if (config_.steps) {
    share = static_cast<double>(state_.update) / static_cast<double>(*config_.steps);
  }
  if (config_.epochs) {
    const double epochs = static_cast<double>(state_.cursor.epoch) +
                          static_cast<double>(state_.cursor.position) /
                              static_cast<double>(parts_.corpora.train().size());
    share = std::max(share, epochs / static_cast<double>(*config_.epochs));
  }
  return share;
}

double Trainer::learning_rate() const {
  return parts_.learner.schedule(state_.update) * state_.learning_rate_scale;
}

// Of the first lane.
StepKey Trainer::key() const {
  return {.seed = parts_.settings.seed, .update = static_cast<std::uint64_t>(state_.update)};
}

// The batches of one update. The last update of the last epoch may have fewer.
void Trainer::gather(Prefetcher& batches) {
  micro_batches_.clear();
  lines_.clear();
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const Batch& batch = batches.next();
    micro_batches_.add(batch.pairs);
    lines_.insert(lines_.end(), batch.lines.begin(), batch.lines.end());
    state_.cursor = batch.after;
    if (config_.epochs && state_.cursor.epoch >= *config_.epochs) break;
  }
}

UpdateResult Trainer::update(Prefetcher& batches) {
  gather(batches);
  ++state_.update;
  const UpdateResult result = lanes_.run(micro_batches_.all(), key());
  if (!is_finite_update(result.loss, result.gradient_norm)) return result;
  apply(result);
  state_.skipped = 0;
  state_.target_tokens += result.target_tokens;
  state_.since_report.target_tokens += result.target_tokens;
  state_.since_report.loss += result.loss * static_cast<double>(result.target_tokens);
  window_.target_tokens += result.target_tokens;
  return result;
}

// By the gradients of the lanes.
void Trainer::apply(const UpdateResult& result) {
  Learner& learner = parts_.learner;
  const std::int64_t begin = nanoseconds_now();
  learner.optimizer.step(lanes_.gradients(), learning_rate(), state_.update,
                         clip_scale(result.gradient_norm, config_.clip_norm), parts_.threads);
  if (learner.average) learner.average->follow(state_.update, parts_.threads);
  if (parts_.profile != nullptr) {
    parts_.profile->optimizer_nanoseconds += nanoseconds_now() - begin;
  }
}

// Says what was not finite, and where it came from.
void Trainer::skip(const UpdateResult& result, MetricsFile& metrics) {
  ++state_.skipped;
  const bool loss = !std::isfinite(result.loss);
  const double value = loss ? result.loss : result.gradient_norm;
  const std::string what = (loss ? "the loss is " : "the norm of the gradients is ") +
                           std::string(std::isnan(value) ? "not a number" : "infinite");
  const auto found = lanes_.find_non_finite(micro_batches_.all(), key());
  const std::string where = found ? found->message() : "only the sum of all lanes";
  std::ranges::sort(lines_);
  append(metrics, {{"kind", std::string("skipped")},
                   {"reason", what},
                   {"first", where},
                   {"lines", std::span<const std::int64_t>(lines_)}});
  parts_.progress.say("update " + std::to_string(state_.update) + " is skipped: " + what +
                      "; first in: " + where + "; its sentences: " + lines_text(lines_));
  check<Diverged>(state_.skipped < config_.max_skipped, what, " in update ", state_.update,
                  ", as in the ", state_.skipped - 1, " before; first in: ", where);
}

void Trainer::report(MetricsFile& metrics, const UpdateResult& last, const Prefetcher& batches) {
  const double seconds = seconds_since(window_.begin);
  // Not a number where all updates were skipped.
  const double loss =
      state_.since_report.loss / static_cast<double>(state_.since_report.target_tokens);
  const double speed = static_cast<double>(window_.target_tokens) / seconds;
  const double waited = static_cast<double>(batches.waited_nanoseconds() - window_.waited) * 1e-9;
  append(metrics, {{"kind", std::string("train")},
                   {"loss", loss},
                   {"learning_rate", learning_rate()},
                   {"gradient_norm", last.gradient_norm},
                   {"epoch", state_.cursor.epoch},
                   {"target_tokens", state_.target_tokens},
                   {"tokens_per_second", speed},
                   {"seconds", seconds},
                   {"waited_seconds", waited}});
  show_progress(loss, speed);
  const std::string warning =
      watch_loss(state_, loss, parts_.tokenizers.target().vocabulary().size);
  if (!warning.empty()) parts_.progress.say(warning);
  state_.since_report = {};
  window_ = {.waited = batches.waited_nanoseconds()};
}

void Trainer::show_progress(double loss, double speed) {
  const auto updates = config_.steps && !config_.epochs
                           ? *config_.steps
                           : std::llround(static_cast<double>(state_.update) / share_done());
  const double per_update =
      seconds_since(begin_) / static_cast<double>(state_.update - first_update_);
  parts_.progress.show({.update = state_.update,
                        .updates = updates,
                        .loss = loss,
                        .tokens_per_second = speed,
                        .learning_rate = learning_rate(),
                        .seconds_left = per_update * static_cast<double>(updates - state_.update)});
}

// The loss, and metrics of translations; returns what the best one is chosen by.
RunState::Validated Trainer::measure_validation(MetricsFile& metrics, const PairSet& pairs,
                                                std::string& line) {
  const auto begin = Clock::now();
  const double loss =
      validation_loss(lanes_, pairs, batch_options_, config_.lane_tokens, leaving(parts_.user));
  check<Diverged>(std::isfinite(loss), "the loss of the validation at update ", state_.update,
                  " is ", loss);
  std::vector<Measurement> values = {
      {"kind", std::string("validation")}, {"loss", loss}, {"perplexity", std::exp(loss)}};
  std::ostringstream text;
  text << std::fixed << std::setprecision(4) << "loss " << loss << ", perplexity "
       << std::setprecision(2) << std::exp(loss);
  RunState::Validated validated{.update = state_.update, .value = loss};
  if (config_.best_by) validated.loss = loss;
  for (const Score& score : validation_scores(translator_, pairs, parts_.corpora.valid_references(),
                                              config_.metrics, config_.bleu_tokens)) {
    if (score.metric == config_.best_by) validated.value = score.value;
    values.push_back({name_of(score.metric), score.value});
    text << ", " << score.label << " " << score.value;
  }
  values.push_back({"seconds", seconds_since(begin)});
  append(metrics, values);
  line = text.str();
  return validated;
}

void Trainer::show_samples(const PairSet& pairs) {
  try {
    for (const Sample& s : sample_translations(translator_, pairs, config_.sample_translations)) {
      parts_.progress.say("  source       " + s.source);
      parts_.progress.say("  target       " + s.target);
      parts_.progress.say("  translation  " + s.translation);
    }
  } catch (const Left&) {
    return;  // they are for the eye alone
  }
}

// False where it was left: then it is still due.
bool Trainer::validate(RunFolder& folder, MetricsFile& metrics) {
  const PairSet& pairs = *parts_.corpora.valid();
  const auto begin = Clock::now();
  std::optional<MovingAverage::InUse> average;
  if (parts_.learner.average) average.emplace(*parts_.learner.average);
  std::string line;
  RunState::Validated validated;
  try {
    validated = measure_validation(metrics, pairs, line);
  } catch (const Left&) {
    return false;
  }
  state_.validation_due.reset();
  const auto rank = judge_validation(state_, validated, config_.keep_best, config_.best_by);
  parts_.progress.say("validation at update " + std::to_string(state_.update) + ": " + line +
                      (rank == 0U ? ", best so far" : ""));
  show_samples(pairs);
  average.reset();
  if (out_of_patience()) {
    parts_.progress.say("no better validation in " + std::to_string(*config_.patience) +
                        " in a row: the run ends");
  }
  ::malloc_trim(0);  // what thousands of translations took in small pieces
  window_.begin += Clock::now() - begin;
  if (rank) save(folder, metrics);
  return true;
}

void Trainer::append(MetricsFile& metrics, const std::vector<Measurement>& values) const {
  insist(parts_.insist, [&] { metrics.append(state_.update, values); });
}

void Trainer::write(const std::filesystem::path& folder) const {
  write_checkpoint(folder, parts_.learner, parts_.tokenizers, parts_.config, state_);
}

void Trainer::save(RunFolder& folder, MetricsFile& metrics) {
  if (saved_ == state_.update) return;
  const std::string bad = parts_.learner.bad_numbers();
  check<Diverged>(bad.empty(), "behind update ", state_.update, " ", bad);
  const auto begin = Clock::now();
  if (!state_.diverging && state_.skipped == 0) state_.good = state_.update;
  insist(parts_.insist, [&] {
    metrics.flush();
    folder.write_checkpoint(state_.update, [&](const std::filesystem::path& f) { write(f); });
  });
  saved_ = state_.update;
  tidy(folder);
  window_.begin += Clock::now() - begin;
}

// What belongs to the last checkpoint of the schedule besides itself. Done again it does nothing.
void Trainer::tidy(RunFolder& folder) const {
  insist(parts_.insist, [&] {
    folder.settle(state_.update);
    const auto there = [&](const RunState::Validated& v) {
      return std::filesystem::is_directory(folder.checkpoint(v.update));
    };
    if (!state_.best.empty() && there(state_.best.front())) {
      folder.point("best", state_.best.front().update);
    }
    remove_old(folder);
  });
}

// Between two checkpoints of the schedule, for the user. Says why where it cannot be.
bool Trainer::save_interim(RunFolder& folder, MetricsFile& metrics) {
  if (saved_ == state_.update) return true;
  const std::string bad = parts_.learner.bad_numbers();
  if (!bad.empty()) {
    parts_.progress.say("not saved: behind update " + std::to_string(state_.update) + " " + bad);
    return false;
  }
  insist(parts_.insist, [&] {
    metrics.flush();
    folder.write_interim(state_.update, [&](const std::filesystem::path& f) { write(f); });
  });
  return true;
}

// A run in trouble keeps what it may go back to, with all that was best then.
void Trainer::remove_old(RunFolder& folder) const {
  const bool is_well = state_.good == state_.update;
  std::vector<std::int64_t> updates = folder.checkpoints();
  std::erase_if(updates, [&](std::int64_t u) { return u > state_.update; });  // of before a resume
  const auto kept = static_cast<std::size_t>(config_.keep_last);
  for (std::size_t i = 0; i + kept < updates.size(); ++i) {
    const bool best = std::ranges::count(state_.best, updates[i], &RunState::Validated::update) > 0;
    if (!best && (is_well || updates[i] > state_.good)) folder.remove_checkpoint(updates[i]);
  }
}

Trainer::End Trainer::run(RunFolder& folder, MetricsFile& metrics) {
  Prefetcher batches([&](Batch& batch) { stream_.next(batch); });
  begin_ = Clock::now();
  window_ = {};
  if (saved_ == state_.update && state_.update > 0) tidy(folder);  // it may have been killed there
  while (state_.validation_due || !finished()) {
    if (parts_.user.stop()) {
      return save_interim(folder, metrics) ? End::kStopped : End::kNotSaved;
    }
    if (parts_.user.save() && save_interim(folder, metrics)) {
      parts_.progress.say("saved at update " + std::to_string(state_.update));
    }
    const std::int64_t epochs = state_.validation_due.value_or(state_.cursor.epoch);
    const auto due = [&](const Interval& interval) {
      return finished() || interval.ends(state_.update, epochs, state_.cursor.epoch);
    };
    if (!state_.validation_due) {
      const UpdateResult last = update(batches);
      if (!is_finite_update(last.loss, last.gradient_norm)) skip(last, metrics);
      if (due({config_.report_every})) report(metrics, last, batches);
      const bool can_validate = parts_.corpora.valid() != nullptr;
      if (can_validate && due(config_.validate_every)) state_.validation_due = epochs;
    }
    if (state_.validation_due && !validate(folder, metrics)) continue;
    if (due(config_.checkpoint_every)) save(folder, metrics);
  }
  save(folder, metrics);  // where it stopped right there before
  return End::kFinished;
}

Trainer::Speed Trainer::measure(int updates, const std::function<void()>& tick) {
  constexpr int kWarmUp = 2;
  Prefetcher batches([&](Batch& batch) { stream_.next(batch); });
  for (int i = 0; i < kWarmUp + updates; ++i) {
    tick();
    if (i == kWarmUp) window_ = {};
    const UpdateResult result = update(batches);
    check<NumericError>(is_finite_update(result.loss, result.gradient_norm),
                        "the first updates are not finite; lower schedule.learning_rate");
  }
  return {static_cast<double>(window_.target_tokens) / seconds_since(window_.begin),
          static_cast<double>(window_.target_tokens) / updates};
}

}  // namespace heddle
