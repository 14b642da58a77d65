// A checkpoint: everything that translating with a model or going on with its training needs.
//
//   model.safetensors      the weights
//   ema.safetensors        their moving average, where train.ema_decay asks for it
//   optimizer.safetensors  the optimizer's moments
//   state.json             how far the run is, and the checksums of the others
//   config.json            resolved
//   tokenizer ...          data/tokenizers.h
#pragma once

#include <filesystem>
#include <string>

#include "data/tokenizers.h"
#include "decode/seal.h"
#include "train/learner.h"
#include "train/run_state.h"

namespace heddle {

/// Fills `folder`. Throws FileError.
void write_checkpoint(const std::filesystem::path& folder, Learner& learner,
                      const Tokenizers& tokenizers, const std::string& config,
                      const RunState& state);

/// Gives a learner whose store is not allocated its weights and moments and, with a decay, their
/// moving average. Throws FileError with all differences where they are those of another model.
RunState load_checkpoint(const std::filesystem::path& folder, Learner& learner,
                         std::optional<double> ema_decay);

}  // namespace heddle
