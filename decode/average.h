// The mean of several checkpoints of a run: often a better model than each of them (the last ones
// of a run, Vaswani et al. 2017, section 6.1).
#pragma once

#include <filesystem>
#include <vector>

#include "decode/trained_model.h"

namespace heddle {

class AverageModel {
 public:
  /// Its weights are the mean of those of `models` (folders, as TrainedModel takes them); the
  /// tokenizer and the config are those of the first one. Throws FileError where two models differ
  /// in their parameters, their config's section "model" or their tokenizers.
  explicit AverageModel(const std::vector<std::filesystem::path>& models);

  /// Writes what TrainedModel reads into `folder`. Throws FileError.
  void save(const std::filesystem::path& folder) const;

 private:
  TrainedModel model_;  // its weights are not those of its file
};

/// Writes that of `models` into the new folder `output`: whole or not at all. Throws FileError,
/// also where `output` is there.
void average_models(const std::vector<std::filesystem::path>& models,
                    const std::filesystem::path& output);

}  // namespace heddle
