#include "train/checkpoint.h"

#include "autograd/base/text_file.h"
#include "autograd/parameter_file.h"
#include "decode/trained_model.h"

namespace heddle {

void write_checkpoint(const std::filesystem::path& folder, Learner& learner,
                      const Tokenizers& tokenizers, const std::string& config,
                      const RunState& state) {
  save_parameters(folder / kModelFile, learner.store);
  if (learner.average) learner.average->save(folder / kAverageFile);
  write_safetensors(folder / kOptimizerFile, learner.optimizer.state());
  tokenizers.save(folder);
  write_text(folder / kConfigFile, config);
  write_sealed(folder, state_text(state));
}

RunState load_checkpoint(const std::filesystem::path& folder, Learner& learner,
                         std::optional<double> ema_decay) {
  RunState state = read_state(folder / kStateFile);
  load_parameters(folder / kModelFile, learner.store);
  if (ema_decay) learner.average.emplace(learner.store, *ema_decay).load(folder / kAverageFile);
  learner.optimizer.allocate();
  learner.optimizer.load_state(SafetensorsFile(folder / kOptimizerFile));
  return state;
}

}  // namespace heddle
