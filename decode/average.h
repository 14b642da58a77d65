// The mean of several checkpoints of a run: often a better model than each of them (the last ones
// of a run, Vaswani et al. 2017, section 6.1).
#pragma once

#include <filesystem>
#include <vector>

namespace heddle {

/// Writes a model whose weights are the mean of those of `models` (folders, as TrainedModel takes
/// them) into the new folder `output`: whole or not at all. It has the tokenizer and the config of
/// the first one. Throws FileError where `output` is there, or two models differ in their
/// parameters, their config's section "model" or their tokenizers.
void average_models(const std::vector<std::filesystem::path>& models,
                    const std::filesystem::path& output);

}  // namespace heddle
