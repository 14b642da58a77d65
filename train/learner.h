// What a whole config describes: the sections that need no model, and the model with what changes
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/data_config.h"
#include "decode/decode_config.h"
#include "layers/transformer.h"
#include "optim/moving_average.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/train_config.h"

namespace heddle {

/// The sections that need no model.
struct Settings {
  explicit Settings(const Config& root);

  std::uint64_t seed;
  DataConfig data;
  TrainConfig train;
  DecodeConfig decode;
};

/// The model, its optimizer and schedule, declared in one store that is not allocated yet.
struct Learner {
  Learner(const Config& root, const Settings& settings, const Vocabularies& vocabularies);

  /// Which weight or moment is not finite; empty where all are. A weight whose moment is infinite
  /// would never learn again.
  std::string bad_numbers() const;

  ParameterStore store;
  Transformer transformer;
  Optimizer optimizer;
  Schedule schedule;
  std::optional<MovingAverage> average;  // where train.ema_decay asks, once the store has weights
};

/// Notes an error where this machine has not even the memory for weights and gradients.
void check_memory(const Config& root, const ParameterStore& store);

/// Reads everything a config may hold, for what ConfigDocument::finish(), resolved() and the schema
/// tell.
void read_whole_config(const Config& root, const Vocabularies& vocabularies = {{1000}, {1000}});

}  // namespace heddle
