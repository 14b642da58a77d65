#include "train/training.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "autograd/base/atomic_file.h"
#include "autograd/base/parallel.h"
#include "autograd/parameter_file.h"
#include "decode/average.h"
#include "decode/trained_model.h"
#include "train/checkpoint.h"
#include "train/resolved.h"
#include "train/selection.h"
#include "train/version.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLanes = 8;

/// What a run decides when it begins, and keeps: its number of lanes, and the settings of a
/// tokenizer that it takes from another model.
std::vector<std::string> decisions(const TrainingRequest& request, const TrainConfig& train) {
  const fs::path before = request.run / kConfigFile;
  const bool goes_on =
      request.open == RunFolder::Open::kContinue && has_begun(request.run) && fs::exists(before);
  std::vector<std::string> overrides;
  if (!train.lanes) {
    const std::string lanes = goes_on ? resolved_part(before, "/train/lanes")
                                      : std::to_string(std::min(available_threads(), kMostLanes));
    overrides.push_back("train.lanes=" + lanes);
  }
  if (train.init_from) {
    const fs::path config = goes_on ? before : find_checkpoint(*train.init_from) / kConfigFile;
    overrides.push_back("data.tokenizer=" + resolved_part(config, "/data/tokenizer"));
  }
  return overrides;
}

ConfigDocument read_document(const TrainingRequest& request) {
  const ConfigText text = ConfigText::read(request.config);  // once: it may be a pipe
  ConfigDocument document = ConfigDocument::parse(text, request.overrides);
  const TrainConfig train(document.root().object("train", ""));
  std::vector<std::string> overrides = request.overrides;
  for (std::string& decision : decisions(request, train)) overrides.push_back(std::move(decision));
  return ConfigDocument::parse(text, overrides);
}

/// Where the sides have vocabularies of their own, layers must see that before those are known.
Vocabularies stand_ins(const Config& root) {
  const bool joint = Tokenizers::are_joint(root.object("data", "").object("tokenizer", ""));
  return {{1000}, {joint ? 1000 : 1001}};
}

Vocabularies vocabularies_of(const Tokenizers& tokenizers) {
  return {tokenizers.source().vocabulary(), tokenizers.target().vocabulary()};
}

void check_unchanged(const char* which, const std::optional<TextFiles>& text,
                     const std::optional<fs::path>& references, std::uint64_t before,
                     std::uint64_t now) {
  if (before == now) return;
  std::string files = text ? " (" + text->source.string() + ", " + text->target.string() : "";
  if (references) files.append(", ").append(references->string());
  fail<DataError>("the ", which, " text", files, text ? ")" : "",
                  " changed since the run began, so that it cannot be continued: restore it, or "
                  "begin another run with --run or --force");
}

/// The nearest folder above that is there.
fs::path existing_parent(const fs::path& path) {
  fs::path parent = fs::absolute(path).parent_path();
  while (!fs::is_directory(parent) && parent != parent.parent_path()) parent = parent.parent_path();
  return parent;
}

/// Removed at its end.
struct ScratchFolder {
  explicit ScratchFolder(const fs::path& run)
      : path(existing_parent(run) / ("dry-run-" + std::to_string(::getpid()))) {
    std::error_code error;
    fs::create_directory(path, error);
    check<FileError>(!error, "cannot make ", path.string(), ": ", error.message());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  fs::path path;
};

}  // namespace

/// What a trainer needs, in an order in which it can be taken down.
struct Training::Prepared {
  std::unique_ptr<Tokenizers> tokenizers;
  std::unique_ptr<Corpora> corpora;
  std::unique_ptr<Learner> learner;
  RunState state;
};

Training::Training(const TrainingRequest& request, Progress& progress, Requests user)
    : request_(request),
      progress_(progress),
      user_(std::move(user)),
      document_(read_document(request)),
      settings_(document_.root()),
      insist_{.seconds = static_cast<double>(settings_.train.save_timeout),
              .say = [this](const std::string& line) { progress_.say(line); },
              .stop = user_.stop} {
  progress_.set_smoothed(settings_.train.label_smoothing > 0.0);
  const Config root = document_.root();
  DataConfig::require_training_text(root.object("data", ""));
  if (settings_.train.average_best && !settings_.data.valid && settings_.data.hold_out == 0) {
    root.object("train", "").error("average_best", "needs a validation text: give data.valid");
  }
  TrainConfig::require_end(root.object("train", ""));
  read_whole_config(root, stand_ins(root));
  const bool goes_on = request.open == RunFolder::Open::kContinue && has_begun(request.run);
  if (goes_on) idle_keys_ = ConfigDocument::IdleKeys::kAccept;  // as an older version did
  document_.finish(idle_keys_);
  for (const std::string& key : document_.idle_keys()) progress_.say("warning: " + key);
  resolved_ = document_.resolved();
}

Tokenizers Training::find_tokenizers(const fs::path& caches,
                                     const std::optional<fs::path>& checkpoint) const {
  if (checkpoint) return Tokenizers::load(*checkpoint);
  if (settings_.train.init_from) {
    const fs::path model = find_checkpoint(*settings_.train.init_from);
    progress_.say("the tokenizer is that of " + model.string());
    return Tokenizers::load(model);
  }
  return trained_tokenizers(document_.root().object("data", "").object("tokenizer", ""),
                            resolved_part(resolved_, "/data/tokenizer"), *settings_.data.train,
                            caches, [&](const std::string& line) { progress_.say(line); });
}

void Training::initialise(Learner& learner) const {
  learner.store.allocate();
  learner.store.initialise(settings_.seed);
  learner.optimizer.allocate();
  if (settings_.train.init_from) load_initial_weights(learner);
  if (settings_.train.ema_decay) learner.average.emplace(learner.store, *settings_.train.ema_decay);
}

void Training::load_initial_weights(Learner& learner) const {
  const fs::path model = find_checkpoint(*settings_.train.init_from);
  const ParameterDifferences found = load_matching_parameters(weights_file(model), learner.store);
  progress_.say("weights begin as those of " + model.string() +
                (found.none() ? "" : "; " + found.message()));
}

void Training::check_not_stopped() const {
  check<Interrupted>(!user_.stop(), "stopped before training began");
}

void Training::check_same_text(const RunState& before, const Corpora& now) const {
  const DataConfig& data = settings_.data;
  check_unchanged("training", data.train, {}, before.train_content, now.train_content());
  check_unchanged("validation", data.valid, data.valid_references, before.valid_content,
                  now.valid_content());
}

Training::Prepared Training::prepare(const fs::path& caches,
                                     const std::optional<fs::path>& checkpoint) {
  Prepared p;
  p.tokenizers = std::make_unique<Tokenizers>(find_tokenizers(caches, checkpoint));
  CorporaOptions options{.folder = caches,
                         .threads = request_.threads,
                         .say = [&](const std::string& line) { progress_.say(line); },
                         .tick = [&] { check_not_stopped(); }};
  p.corpora = std::make_unique<Corpora>(*p.tokenizers, settings_, options);
  p.learner =
      std::make_unique<Learner>(document_.root(), settings_, vocabularies_of(*p.tokenizers));
  const std::int64_t longest =
      std::min(p.learner->transformer.longest_source(), p.learner->transformer.longest_target());
  if (settings_.data.max_length > longest) {
    const Config data = document_.root().object("data", "");
    data.error("max_length", settings_.data.max_length, data.if_default("max_length"),
               " is more than the model's max_positions, ", longest,
               "; lower data.max_length or raise model.max_positions");
  }
  check_memory(document_.root(), p.learner->store);
  document_.finish(idle_keys_);
  if (checkpoint) {
    p.state = load_checkpoint(*checkpoint, *p.learner, settings_.train.ema_decay);
    check_same_text(p.state, *p.corpora);
  } else {
    initialise(*p.learner);
    p.state.train_content = p.corpora->train_content();
    p.state.valid_content = p.corpora->valid_content();
  }
  return p;
}

/// The state of a checkpoint that nothing has damaged; else says what has. Throws where it cannot
/// be read now.
std::optional<RunState> Training::whole(const fs::path& checkpoint) const {
  try {
    check<Damaged>(fs::exists(checkpoint / kStateFile), checkpoint.string(),
                   ": holds no state.json; take another checkpoint");
    verify_files(checkpoint);
    return read_state(checkpoint / kStateFile);
  } catch (const Damaged& damage) {
    progress_.say(damage.what());
  }
  return std::nullopt;
}

/// The first that can be read and that nothing has damaged.
fs::path Training::first_whole(const std::vector<fs::path>& checkpoints) const {
  for (const fs::path& checkpoint : checkpoints) {
    try {
      if (whole(checkpoint)) return checkpoint;
    } catch (const FileError& unreadable) {
      progress_.say(unreadable.what());
    } catch (const fs::filesystem_error& unreadable) {
      progress_.say(unreadable.what());
    }
  }
  fail<FileError>(request_.run.string(),
                  ": no checkpoint of the run can be taken; begin again with --force");
}

/// The update of the last good checkpoint of the schedule: those that a user asked for would make
/// what follows depend on it. Behind it weights must have changed, or the same would happen again.
std::optional<std::int64_t> Training::last_good(const RunFolder& folder,
                                                const RunState& failed) const {
  folder.check_ours();
  std::vector<std::int64_t> updates = folder.checkpoints();
  std::ranges::reverse(updates);
  for (const std::int64_t update : updates) {
    if (update >= failed.update - failed.skipped) continue;
    const auto state = whole(folder.checkpoint(update));
    if (state && !state->diverging && state->skipped == 0) return update;
  }
  return std::nullopt;
}

void Training::say_how_it_begins(const Prepared& p, bool goes_on) const {
  const RunState& state = p.state;
  progress_.say(request_.run.string() + ": " + std::to_string(p.learner->store.elements()) +
                " parameters, " + std::to_string(*settings_.train.lanes) + " lanes, " +
                std::to_string(request_.threads) + " threads" +
                (goes_on ? "; goes on behind update " + std::to_string(state.update) : ""));
  if (p.corpora->valid() != nullptr && settings_.train.label_smoothing > 0.0) {
    progress_.say(
        "the training loss counts label smoothing and dropout, the loss of validations neither: "
        "compare validations with validations");
  }
  if (!goes_on || state.build == version_text()) return;
  progress_.say(
      "that was written by another build or on another processor; from here on bits may "
      "differ from those of a run that stays there:\n  " +
      state.build + "\n  " + version_text());
}

// The state of a checkpoint, of before the trouble, becomes that of another try.
void Training::go_back(const RunState& failed, const std::string& reason, RunState& state,
                       MetricsFile& metrics) const {
  std::erase_if(state.best, [&](const RunState::Validated& v) {
    return !fs::exists(checkpoint_folder(request_.run, v.update));
  });
  state.rollbacks = failed.rollbacks + 1;
  state.learning_rate_scale = failed.learning_rate_scale * settings_.train.rollback_factor;
  insist(insist_, [&] {
    metrics.append(state.update + 1, {{"kind", std::string("rollback")},
                                      {"from", failed.update},
                                      {"reason", reason},
                                      {"learning_rate_scale", state.learning_rate_scale}});
  });
  std::ostringstream text;
  text << reason << "; the run goes back "
       << (state.update == 0 ? "to its beginning" : "behind update " + std::to_string(state.update))
       << ", with " << state.learning_rate_scale << " of the learning rate";
  progress_.say(text.str());
}

Trainer::Parts Training::parts(const Prepared& p) const {
  return {settings_, resolved_, *p.tokenizers, *p.corpora,       *p.learner,
          progress_, user_,     insist_,       request_.threads, request_.profile};
}

Trainer::End Training::run() {
  RunFolder folder(request_.run, request_.open,
                   [&](const std::string& line) { progress_.say(line); });
  std::optional<fs::path> checkpoint;
  if (request_.open == RunFolder::Open::kContinue && has_begun(folder.path())) {
    const fs::path before = folder.path() / kConfigFile;
    check<FileError>(fs::exists(before), folder.path().string(),
                     ": holds checkpoints, but no config.json; copy that of the last one here");
    check_resumable(before, resolved_);
    checkpoint = first_whole(folder.to_resume());
  }
  std::optional<RunState> failed;
  for (std::string reason;;) {
    Prepared p = prepare(folder.path() / "cache", checkpoint);
    if (!failed) folder.begin(resolved_);
    if (failed) check_same_text(*failed, *p.corpora);
    std::optional<MetricsFile> metrics;
    const auto open = [&] {
      const fs::path file = folder.path() / "metrics.jsonl";
      metrics.emplace(file, p.state.update, !p.state.validation_due);
      flush_name(file);
    };
    if (failed) {
      insist(insist_, open);
      go_back(*failed, reason, p.state, *metrics);
    } else {
      open();
      say_how_it_begins(p, checkpoint.has_value());
    }
    // Behind going back, too: stopped there, the next start does the same again.
    const bool saved =
        checkpoint ? checkpoint == folder.checkpoint(p.state.update) : failed.has_value();
    Trainer trainer(parts(p), p.state, saved);
    try {
      const Trainer::End end = trainer.run(folder, *metrics);
      if (end == Trainer::End::kFinished) average_checkpoints(folder, trainer.state());
      return end;
    } catch (const Diverged& trouble) {
      reason = trouble.what();
    }
    failed = trainer.state();
    check<NumericError>(
        failed->rollbacks < settings_.train.max_rollbacks, reason, "; the run went back ",
        failed->rollbacks,
        " times: begin again with a lower schedule.learning_rate or a longer schedule.warmup, if "
        "you like from a checkpoint that was good, with train.init_from");
    std::optional<std::int64_t> good;
    insist(insist_, [&] { good = last_good(folder, *failed); });
    check<NumericError>(good || failed->update > failed->skipped, reason,
                        "; no update was finite: begin with other weights, or a lower "
                        "schedule.learning_rate");
    check<NumericError>(
        good || failed->good == 0, reason,
        "; the last good checkpoint lies directly before, and there is none before it: begin again "
        "from it with a lower schedule.learning_rate and train.init_from");
    insist(insist_, [&] { folder.go_back(good, failed->update); });
    checkpoint.reset();
    if (good) checkpoint = folder.checkpoint(*good);
  }
}

// Of a run that ended before, too: what is there may be of another end.
void Training::average_checkpoints(RunFolder& folder, const RunState& state) {
  const TrainConfig& train = settings_.train;
  if (!train.average_last && !train.average_best) return;
  const bool last = train.average_last.has_value();
  const std::vector<fs::path> checkpoints =
      last ? last_checkpoints(folder.path(), state.update, *train.average_last)
           : best_checkpoints(folder.path(), state, *train.average_best);
  const AverageModel mean(checkpoints);
  insist(insist_, [&] { folder.write_averaged([&](const fs::path& f) { mean.save(f); }); });
  progress_.say("the mean of the " + std::string(last ? "last " : "best ") +
                std::to_string(checkpoints.size()) + " checkpoints: " + folder.averaged().string());
}

Training::Estimate Training::dry_run() {
  const ScratchFolder scratch(request_.run);
  Prepared p = prepare(scratch.path, std::nullopt);
  Trainer trainer(parts(p), p.state);
  Estimate estimate;
  estimate.parameters = p.learner->store.elements();
  estimate.parameter_bytes =
      estimate.parameters * static_cast<std::int64_t>(size_of(p.learner->store.dtype()));
  estimate.speed = trainer.measure(5, [&] { check_not_stopped(); });
  estimate.pairs = p.corpora->train().size();
  const CorpusReport& report = p.corpora->report();
  estimate.tokens_per_epoch = static_cast<double>(report.target_tokens) *
                              static_cast<double>(estimate.pairs) /
                              static_cast<double>(report.kept);
  return estimate;
}

}  // namespace heddle
