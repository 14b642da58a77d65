#include "decode/trained_model.h"

#include <algorithm>
#include <optional>

#include "autograd/base/text_file.h"
#include "autograd/parameter_file.h"
#include "decode/run_checkpoints.h"
#include "decode/seal.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

ConfigDocument read_config(const fs::path& file) {
  try {
    return ConfigDocument::read(file);
  } catch (const ConfigError& error) {
    fail<FileError>("the model's config is damaged: ", error.what());
  }
}

/// What only training needs may be gone.
fs::path verified(const fs::path& checkpoint) {
  verify_files(checkpoint, kOptimizerFile);
  return checkpoint;
}

DType stored_type(const fs::path& file) {
  const SafetensorsFile weights(file);
  const bool wide = !weights.entries().empty() && weights.entries().front().dtype == "F64";
  return wide ? DType::kFloat64 : DType::kFloat32;
}

}  // namespace

fs::path find_checkpoint(const fs::path& model) {
  check<FileError>(fs::exists(model), model.string(), ": there is no such model");
  if (fs::exists(model / kModelFile)) return model;
  const auto holds_model = [](const std::optional<fs::path>& folder) {
    return folder && fs::exists(*folder / kModelFile);
  };
  for (const auto& find : {find_best, find_last}) {
    const std::optional<fs::path> checkpoint = find(model);
    if (holds_model(checkpoint)) return fs::canonical(*checkpoint);
  }
  for (const char* copy : {kBestLink, kLastLink}) {  // all that a copy holds
    const fs::path checkpoint = model / kCheckpoints / copy;
    if (holds_model(checkpoint)) return fs::canonical(checkpoint);
  }
  fail<FileError>(model.string(),
                  ": not a model; give the directory of a run that has written a checkpoint, or of "
                  "one checkpoint");
}

fs::path weights_file(const fs::path& checkpoint) {
  const fs::path average = checkpoint / kAverageFile;
  return fs::exists(average) ? average : checkpoint / kModelFile;
}

TrainedModel::TrainedModel(const fs::path& model)
    : folder_(verified(find_checkpoint(model))),
      config_(read_config(folder_ / kConfigFile)),
      tokenizers_(Tokenizers::load(folder_)),
      store_(stored_type(weights_file(folder_))),
      transformer_(Scope(store_), config_.root().object("model", ""),
                   {tokenizers_.source().vocabulary(), tokenizers_.target().vocabulary()}),
      decode_(config_.root().object("decode", "")),
      data_(config_.root().object("data", "")) {
  for (const char* section : {"seed", "optimizer", "schedule", "train"}) {
    config_.root().pass_over(section);
  }
  try {
    config_.finish(ConfigDocument::IdleKeys::kAccept);
  } catch (const ConfigError& error) {
    fail<FileError>("the model's config is damaged: ", error.what());
  }
  load_parameters(weights_file(folder_), store_);
}

std::int64_t TrainedModel::longest_line() const {
  return std::max(TranslatorOptions().longest_source, data_.max_length);
}

TranslatorOptions TrainedModel::translator_options(int threads) const {
  TranslatorOptions options;
  options.limit = decode_.limit;
  options.beam = decode_.beam;
  options.length_penalty = decode_.length_penalty;
  options.longest_source = longest_line();
  options.threads = threads;
  options.prepared_weights = &prepared_weights_;
  return options;
}

std::string TrainedModel::config_text() const {
  return read_text(folder_ / kConfigFile);
}

}  // namespace heddle
