#include "train/training.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "autograd/base/parallel.h"
#include "autograd/parameter_file.h"
#include "decode/average.h"
#include "decode/trained_model.h"
#include "train/checkpoint.h"
#include "train/resolved.h"
#include "train/selection.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLanes = 8;

/// What a run decides when it begins, and keeps: its number of lanes, and the settings of a
/// tokenizer that it takes from another model.
std::vector<std::string> decisions(const TrainingRequest& request, const TrainConfig& train) {
  const fs::path before = request.run / kConfigFile;
  const bool goes_on = request.open == RunFolder::Open::kContinue && fs::exists(before);
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
  ConfigDocument document = ConfigDocument::read(request.config, request.overrides);
  const TrainConfig train(document.root().object("train", ""));
  std::vector<std::string> overrides = request.overrides;
  for (std::string& decision : decisions(request, train)) overrides.push_back(std::move(decision));
  return ConfigDocument::read(request.config, overrides);
}

/// Where the sides have vocabularies of their own, layers must see that before those are known.
Vocabularies stand_ins(const Config& root) {
  const bool joint = Tokenizers::are_joint(root.object("data", "").object("tokenizer", ""));
  return {{1000}, {joint ? 1000 : 1001}};
}

Vocabularies vocabularies_of(const Tokenizers& tokenizers) {
  return {tokenizers.source().vocabulary(), tokenizers.target().vocabulary()};
}

void check_unchanged(const char* which, const std::optional<TextFiles>& text, std::uint64_t before,
                     std::uint64_t now) {
  if (before == now) return;
  const std::string files =
      text ? " (" + text->source.string() + ", " + text->target.string() + ")" : "";
  fail<DataError>("the ", which, " text", files,
                  " changed since the run began, so that it cannot be continued: restore it, or "
                  "begin another run with --run or --force");
}

/// The nearest folder above that is there.
fs::path existing_parent(const fs::path& path) {
  fs::path parent = fs::absolute(path).parent_path();
  while (!fs::is_directory(parent) && parent != parent.parent_path()) parent = parent.parent_path();
  return parent;
}

/// The one that "last" points to; without that link, which a copy may have lost, the newest.
std::optional<fs::path> newest_checkpoint(const RunFolder& folder) {
  if (const auto last = folder.pointed("last")) return folder.checkpoint(*last);
  const std::vector<std::int64_t> updates = folder.checkpoints();
  if (updates.empty()) return std::nullopt;
  return folder.checkpoint(updates.back());
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

Training::Training(const TrainingRequest& request, Progress& progress, std::function<bool()> stop)
    : request_(request),
      progress_(progress),
      stop_(std::move(stop)),
      document_(read_document(request)),
      settings_(document_.root()) {
  const Config root = document_.root();
  DataConfig::require_training_text(root.object("data", ""));
  if (settings_.train.average_best && !settings_.data.valid && settings_.data.hold_out == 0) {
    root.object("train", "").error("average_best", "needs a validation text: give data.valid");
  }
  TrainConfig::require_end(root.object("train", ""));
  read_whole_config(root, stand_ins(root));
  document_.finish();
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
  check<Interrupted>(!stop_(), "stopped before the first update");
}

Training::Prepared Training::prepare(const fs::path& caches,
                                     const std::optional<fs::path>& checkpoint) {
  Prepared p;
  p.tokenizers = std::make_unique<Tokenizers>(find_tokenizers(caches, checkpoint));
  CorporaOptions options{
      .folder = caches,
      .threads = request_.threads,
      .say = [&](const std::string& line) { progress_.say(line); },
      .tick = [&] { check<Interrupted>(!stop_(), "stopped before the first update"); }};
  p.corpora = std::make_unique<Corpora>(*p.tokenizers, settings_, options);
  p.learner =
      std::make_unique<Learner>(document_.root(), settings_, vocabularies_of(*p.tokenizers));
  const std::int64_t longest =
      std::min(p.learner->transformer.longest_source(), p.learner->transformer.longest_target());
  if (settings_.data.max_length > longest) {
    document_.root()
        .object("data", "")
        .error("max_length", settings_.data.max_length, " is more than the model's max_positions, ",
               longest);
  }
  check_memory(document_.root(), p.learner->store);
  document_.finish();
  if (checkpoint) {
    p.state = load_checkpoint(*checkpoint, *p.learner, settings_.train.ema_decay);
    check_unchanged("training", settings_.data.train, p.state.train_content,
                    p.corpora->train_content());
    check_unchanged("validation", settings_.data.valid, p.state.valid_content,
                    p.corpora->valid_content());
  } else {
    initialise(*p.learner);
    p.state.train_content = p.corpora->train_content();
    p.state.valid_content = p.corpora->valid_content();
  }
  return p;
}

Trainer::End Training::run() {
  RunFolder folder(request_.run, request_.open);
  std::optional<fs::path> checkpoint;
  if (request_.open == RunFolder::Open::kContinue) {
    check_resumable(folder.path() / kConfigFile, resolved_);
    checkpoint = newest_checkpoint(folder);
  }
  Prepared p = prepare(folder.path() / "cache", checkpoint);
  folder.begin(resolved_);
  progress_.say(request_.run.string() + ": " + std::to_string(p.learner->store.elements()) +
                " parameters, " + std::to_string(*settings_.train.lanes) + " lanes, " +
                std::to_string(request_.threads) + " threads" +
                (checkpoint ? "; goes on behind update " + std::to_string(p.state.update) : ""));
  Trainer trainer({settings_, resolved_, *p.tokenizers, *p.corpora, *p.learner, progress_,
                   request_.threads, request_.profile},
                  p.state);
  const Trainer::End end = trainer.run(folder, stop_);
  if (end == Trainer::End::kFinished) average_checkpoints(folder, trainer.state());
  return end;
}

// Of a run that ended before, too: what is there may be of another end.
void Training::average_checkpoints(const RunFolder& folder, const RunState& state) {
  const TrainConfig& train = settings_.train;
  if (!train.average_last && !train.average_best) return;
  const bool last = train.average_last.has_value();
  const std::vector<fs::path> checkpoints =
      last ? last_checkpoints(folder.path(), *train.average_last)
           : best_checkpoints(folder.path(), state, *train.average_best);
  fs::remove_all(folder.averaged());
  average_models(checkpoints, folder.averaged());
  progress_.say("the mean of the " + std::string(last ? "last " : "best ") +
                std::to_string(checkpoints.size()) + " checkpoints: " + folder.averaged().string());
}

Training::Estimate Training::dry_run() {
  const ScratchFolder scratch(request_.run);
  Prepared p = prepare(scratch.path, std::nullopt);
  Trainer trainer(
      {settings_, resolved_, *p.tokenizers, *p.corpora, *p.learner, progress_, request_.threads},
      p.state);
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
