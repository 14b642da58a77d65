#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "optim/clip.h"
#include "train/checkpoint.h"
#include "train/selection.h"

namespace heddle {

namespace {

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

Trainer::Trainer(const Parts& parts, const RunState& state)
    : parts_(parts),
      config_(parts.settings.train),
      state_(state),
      lanes_(parts.learner.transformer, parts.learner.store,
             lane_options(parts.settings, parts.threads)),
      translator_(parts.learner.transformer, parts.tokenizers,
                  {.limit = parts.settings.decode.limit,
                   .beam = parts.settings.train.validation_beam,
                   .length_penalty = parts.settings.decode.length_penalty,
                   .longest_source = parts.settings.data.max_length,
                   .threads = parts.threads}),
      batch_options_(batch_options(parts.settings, parts.tokenizers)),
      stream_(parts.corpora.train(), batch_options_, state.cursor),
      micro_batches_(lanes_.count(), config_.lane_tokens),
      first_update_(state.update) {
  lanes_.set_profile(parts.profile);
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

// The batches of one update. The last update of the last epoch may have fewer.
void Trainer::gather(Prefetcher& batches) {
  micro_batches_.clear();
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const Batch& batch = batches.next();
    micro_batches_.add(batch.pairs);
    state_.cursor = batch.after;
    if (config_.epochs && state_.cursor.epoch >= *config_.epochs) break;
  }
}

UpdateResult Trainer::update(Prefetcher& batches) {
  gather(batches);
  const std::int64_t update = state_.update + 1;
  const StepKey key{.seed = parts_.settings.seed, .update = static_cast<std::uint64_t>(update)};
  const UpdateResult result = lanes_.run(micro_batches_.all(), key);
  if (!std::isfinite(result.loss)) fail_not_finite("loss", result.loss);
  if (!std::isfinite(result.gradient_norm)) {
    fail_not_finite("norm of the gradients", result.gradient_norm);
  }
  state_.update = update;
  step(result);
  state_.target_tokens += result.target_tokens;
  ++window_.updates;
  window_.target_tokens += result.target_tokens;
  window_.loss += result.loss * static_cast<double>(result.target_tokens);
  return result;
}

// By the gradients of the lanes.
void Trainer::step(const UpdateResult& result) {
  Learner& learner = parts_.learner;
  const std::int64_t begin = nanoseconds_now();
  learner.optimizer.step(lanes_.gradients(), learner.schedule(state_.update), state_.update,
                         clip_scale(result.gradient_norm, config_.clip_norm), parts_.threads);
  if (learner.average) learner.average->update(state_.update, parts_.threads);
  if (parts_.profile != nullptr) {
    parts_.profile->optimizer_nanoseconds += nanoseconds_now() - begin;
  }
}

void Trainer::fail_not_finite(const char* what, double value) const {
  fail<NumericError>("the ", what, " behind update ", state_.update, " is ", value,
                     "; begin again with a lower schedule.learning_rate or a longer "
                     "schedule.warmup, if you like from the last checkpoint, with train.init_from");
}

void Trainer::report(MetricsFile& metrics, const UpdateResult& last, const Prefetcher& batches) {
  const double seconds = seconds_since(window_.begin);
  const double loss = window_.loss / static_cast<double>(window_.target_tokens);
  const double speed = static_cast<double>(window_.target_tokens) / seconds;
  const double rate = parts_.learner.schedule(state_.update);
  const double waited = static_cast<double>(batches.waited_nanoseconds() - window_.waited) * 1e-9;
  metrics.append(state_.update, {{"kind", std::string("train")},
                                 {"loss", loss},
                                 {"learning_rate", rate},
                                 {"gradient_norm", last.gradient_norm},
                                 {"epoch", state_.cursor.epoch},
                                 {"target_tokens", state_.target_tokens},
                                 {"tokens_per_second", speed},
                                 {"seconds", seconds},
                                 {"waited_seconds", waited}});
  const double share = share_done();
  const auto updates = config_.steps && !config_.epochs
                           ? *config_.steps
                           : std::llround(static_cast<double>(state_.update) / share);
  const double per_update =
      seconds_since(begin_) / static_cast<double>(state_.update - first_update_);
  parts_.progress.show({.update = state_.update,
                        .updates = updates,
                        .loss = loss,
                        .tokens_per_second = speed,
                        .learning_rate = rate,
                        .seconds_left = per_update * static_cast<double>(updates - state_.update)});
  window_ = {.waited = batches.waited_nanoseconds()};
}

// The loss, and metrics of translations; returns the value by which the best one is chosen.
double Trainer::measure_validation(MetricsFile& metrics, const PairSet& pairs, std::string& line) {
  const auto begin = Clock::now();
  const double loss = validation_loss(lanes_, pairs, batch_options_, config_.lane_tokens);
  if (!std::isfinite(loss)) fail_not_finite("validation loss", loss);
  std::vector<Measurement> values = {
      {"kind", std::string("validation")}, {"loss", loss}, {"perplexity", std::exp(loss)}};
  std::ostringstream text;
  text << std::fixed << std::setprecision(4) << "loss " << loss << ", perplexity "
       << std::setprecision(2) << std::exp(loss);
  double value = loss;
  for (const Score& score :
       validation_scores(translator_, pairs, config_.metrics, config_.bleu_tokens)) {
    if (score.metric == config_.best_by) value = score.value;
    values.push_back({name_of(score.metric), score.value});
    text << ", " << score.label << " " << score.value;
  }
  values.push_back({"seconds", seconds_since(begin)});
  metrics.append(state_.update, values);
  line = text.str();
  return value;
}

void Trainer::show_samples(const PairSet& pairs) {
  for (const Sample& s : sample_translations(translator_, pairs, config_.sample_translations)) {
    parts_.progress.say("  source       " + s.source);
    parts_.progress.say("  target       " + s.target);
    parts_.progress.say("  translation  " + s.translation);
  }
}

void Trainer::validate(MetricsFile& metrics, RunFolder& folder) {
  const PairSet* const pairs = parts_.corpora.valid();
  if (pairs == nullptr || validated_ == state_.update) return;
  validated_ = state_.update;
  const auto begin = Clock::now();
  std::optional<MovingAverage::InUse> average;
  if (parts_.learner.average) average.emplace(*parts_.learner.average);
  std::string line;
  const double value = measure_validation(metrics, *pairs, line);
  const std::optional<std::size_t> rank = take_validation(
      state_.best, {.update = state_.update, .value = value}, config_.keep_best, config_.best_by);
  const bool best = rank == 0U;
  state_.validations_since_best = best ? 0 : state_.validations_since_best + 1;
  parts_.progress.say("validation at update " + std::to_string(state_.update) + ": " + line +
                      (best ? ", the best" : ""));
  show_samples(*pairs);
  average.reset();
  if (out_of_patience()) {
    parts_.progress.say("no better validation in " + std::to_string(*config_.patience) +
                        " in a row: the run ends");
  }
  window_.begin += Clock::now() - begin;
  if (rank) save(folder);
}

void Trainer::save(RunFolder& folder) {
  if (saved_ == state_.update) return;
  const auto begin = Clock::now();
  folder.write_checkpoint(state_.update, [&](const std::filesystem::path& path) {
    write_checkpoint(path, parts_.learner, parts_.tokenizers, parts_.config, state_);
  });
  folder.point("last", state_.update);
  if (!state_.best.empty()) folder.point("best", state_.best.front().update);
  saved_ = state_.update;
  remove_old(folder);
  window_.begin += Clock::now() - begin;
}

void Trainer::remove_old(RunFolder& folder) const {
  std::vector<std::int64_t> updates = folder.checkpoints();
  std::erase_if(updates, [&](std::int64_t u) { return u > state_.update; });  // of before a resume
  const auto kept = static_cast<std::size_t>(config_.keep_last);
  for (std::size_t i = 0; i + kept < updates.size(); ++i) {
    const bool best = std::ranges::count(state_.best, updates[i], &RunState::Validated::update) > 0;
    if (!best) folder.remove_checkpoint(updates[i]);
  }
}

Trainer::End Trainer::run(RunFolder& folder, const std::function<bool()>& stop) {
  MetricsFile metrics(folder.path() / "metrics.jsonl", state_.update);
  Prefetcher batches([&](Batch& batch) { stream_.next(batch); });
  begin_ = Clock::now();
  window_ = {};
  while (!finished()) {
    if (stop()) {
      save(folder);
      return End::kStopped;
    }
    const std::int64_t epochs = state_.cursor.epoch;
    const UpdateResult last = update(batches);
    const auto due = [&](const Interval& interval) {
      return finished() || interval.ends(state_.update, epochs, state_.cursor.epoch);
    };
    if (due({config_.report_every})) report(metrics, last, batches);
    if (due(config_.validate_every)) validate(metrics, folder);
    if (due(config_.checkpoint_every)) save(folder);
  }
  return End::kFinished;
}

Trainer::Speed Trainer::measure(int updates, const std::function<void()>& tick) {
  constexpr int kWarmUp = 2;
  Prefetcher batches([&](Batch& batch) { stream_.next(batch); });
  for (int i = 0; i < kWarmUp + updates; ++i) {
    tick();
    if (i == kWarmUp) window_ = {};
    update(batches);
  }
  return {static_cast<double>(window_.target_tokens) / seconds_since(window_.begin),
          static_cast<double>(window_.target_tokens) / updates};
}

}  // namespace heddle
