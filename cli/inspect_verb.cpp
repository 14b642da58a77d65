// heddle inspect: what is in a model.
#include <fmt/core.h>

#include <memory>
#include <sstream>

#include "cli/verbs.h"
#include "decode/trained_model.h"
#include "train/checkpoint.h"
#include "train/resolved.h"

namespace heddle {

namespace {

constexpr const char* kAboutInspect = R"(Example: heddle inspect runs/toy

Shows a model: parameters by name and shape, tokenizers, how far it is trained, its config.)";

std::string text_of(const Shape& shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

void print_tokenizers(const Tokenizers& tokenizers) {
  const auto ids = [](const Tokenizer& t) { return t.vocabulary().size; };
  if (tokenizers.joint()) {
    fmt::print("vocabulary  {} ids, joint\n", ids(tokenizers.source()));
  } else {
    fmt::print("vocabulary  {} ids of the source, {} of the target\n", ids(tokenizers.source()),
               ids(tokenizers.target()));
  }
}

// A mean of checkpoints has none; that of another version is not for training any more, its model
// is.
void print_state(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / kStateFile)) return;
  if (!is_of_this_version(folder / kStateFile)) {
    fmt::print("trained     by another version: a new run can begin with it (train.init_from)\n");
    return;
  }
  const RunState state = read_state(folder / kStateFile);
  fmt::print("trained     {} updates, {} target tokens, {} whole epochs\n", state.update,
             state.target_tokens, state.cursor.epoch);
  if (!state.best.empty()) {
    const std::string best_by = resolved_part(folder / kConfigFile, "/train/best_by");  // quoted
    fmt::print("validation  best at update {}: {} {:.4f}\n", state.best.front().update,
               best_by.substr(1, best_by.size() - 2), state.best.front().value);
  }
}

void run_inspect(const std::string& path) {
  const TrainedModel model(path);
  fmt::print("checkpoint  {}\n", model.folder().string());
  print_state(model.folder());
  if (weights_file(model.folder()).filename() == kAverageFile) {
    fmt::print("weights     their moving average ({}); training goes on from {}\n", kAverageFile,
               kModelFile);
  }
  print_tokenizers(model.tokenizers());
  const ParameterStore& store = model.store();
  fmt::print("parameters  {} values of {} in {} tensors\n\n", store.elements(),
             store.dtype() == DType::kFloat64 ? "float64" : "float32", store.entries().size());
  for (const ParameterStore::Entry& entry : store.entries()) {
    fmt::print("{:<55} {:>14} {:>10}\n", entry.name, text_of(entry.shape), entry.shape.elements());
  }
  fmt::print("\n{}", model.config_text());
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto model = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("inspect", kAboutInspect);
  verb->add_option("MODEL", *model, "the folder of a run or of a checkpoint")->required();
  verb->callback([=] { run_inspect(*model); });
}

}  // namespace heddle
