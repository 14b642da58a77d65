#include "train/training.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include "autograd/base/parallel.h"
#include "autograd/parameter_file.h"
#include "decode/trained_model.h"
#include "train/checkpoint.h"
#include "train/resolved.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLanes = 8;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  check<FileError>(file.is_open(), "cannot read ", path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The config with a number of lanes: its own, that of the run that is continued, or one for this
/// machine.
ConfigDocument read_document(const TrainingRequest& request) {
  ConfigDocument document = ConfigDocument::read(request.config, request.overrides);
  const Config train = document.root().object("train", "");
  if (TrainConfig(train).lanes) return document;
  std::int64_t lanes = std::min(available_threads(), kMostLanes);
  const fs::path before = request.run / kConfigFile;
  if (request.open == RunFolder::Open::kContinue && fs::exists(before)) {
    lanes = std::stoll(resolved_part(text_of(before), "/train/lanes"));
  }
  std::vector<std::string> overrides = request.overrides;
  overrides.push_back("train.lanes=" + std::to_string(lanes));
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

void check_unchanged(const Corpora& corpora, const RunState& state) {
  const bool same = corpora.train_content() == state.train_content &&
                    corpora.valid_content() == state.valid_content;
  check<DataError>(same,
                   "the corpus changed since the run began, so that it cannot be continued: "
                   "restore the files, or begin another run with --run or --force");
}

/// Removed at its end.
struct ScratchFolder {
  explicit ScratchFolder(const fs::path& beside) : path(beside) {
    path += ".dry-run-" + std::to_string(::getpid());
    fs::create_directories(path);
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
  TrainConfig::require_end(root.object("train", ""));
  read_whole_config(root, stand_ins(root));
  document_.finish();
  resolved_ = document_.resolved();
}

Tokenizers Training::find_tokenizers(const fs::path& caches,
                                     const std::optional<fs::path>& checkpoint) const {
  if (checkpoint) return Tokenizers::load(*checkpoint);
  if (settings_.train.init_from) {
    return Tokenizers::load(find_checkpoint(*settings_.train.init_from));
  }
  return trained_tokenizers(document_.root().object("data", "").object("tokenizer", ""),
                            resolved_part(resolved_, "/data/tokenizer"), *settings_.data.train,
                            caches, [&](const std::string& line) { progress_.say(line); });
}

void Training::initialise(Learner& learner) const {
  learner.store.allocate();
  learner.store.initialise(settings_.seed);
  learner.optimizer.allocate();
  if (!settings_.train.init_from) return;
  const fs::path model = find_checkpoint(*settings_.train.init_from);
  const ParameterDifferences found = load_matching_parameters(model / kModelFile, learner.store);
  progress_.say("weights begin as those of " + model.string() +
                (found.none() ? "" : "; " + found.message()));
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
  document_.finish();
  if (checkpoint) {
    p.state = load_checkpoint(*checkpoint, *p.learner);
    check_unchanged(*p.corpora, p.state);
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
    check_resumable(text_of(folder.path() / kConfigFile), resolved_);
    if (const auto last = folder.pointed("last")) checkpoint = folder.checkpoint(*last);
  }
  Prepared p = prepare(folder.path() / "cache", checkpoint);
  folder.begin(resolved_);
  progress_.say(request_.run.string() + ": " +
                std::to_string(p.learner->store.elements()) + " parameters, " +
                std::to_string(*settings_.train.lanes) + " lanes, " +
                std::to_string(request_.threads) + " threads" +
                (checkpoint ? "; goes on behind update " + std::to_string(p.state.update) : ""));
  Trainer trainer(
      {settings_, resolved_, *p.tokenizers, *p.corpora, *p.learner, progress_, request_.threads},
      p.state);
  return trainer.run(folder, stop_);
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
  estimate.speed = trainer.measure(5);
  estimate.pairs = p.corpora->train().size();
  const CorpusReport& report = p.corpora->report();
  estimate.tokens_per_epoch = static_cast<double>(report.target_tokens) *
                              static_cast<double>(estimate.pairs) /
                              static_cast<double>(report.kept);
  return estimate;
}

}  // namespace heddle
