// The section "data" of a config: which files, how they are cut into tokens, what is left out.
//
//   "data": {"train": {"source": "train.en", "target": "train.fr"}, "valid": {"hold_out": 500},
//            "tokenizer": {"type": "subword", "vocab_size": 8000}, "max_length": 128}
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "configs/config.h"

namespace heddle {

/// Two files of which line n of one translates line n of the other.
struct TextFiles {
  std::filesystem::path source, target;
};

struct DataConfig {
  /// Reads all but the tokenizer's keys, which it only checks. Files may be missing in the config
  /// of a model that is not trained; see require_training_text().
  explicit DataConfig(const Config& data);

  /// Notes an error where no training files are given.
  static void require_training_text(const Config& data);

  std::optional<TextFiles> train;
  std::optional<TextFiles> valid;
  /// Of the validation files: a line of right translations for each of theirs, with tabs between.
  std::optional<std::filesystem::path> valid_references;
  std::int64_t hold_out = 0;      // pairs of the training files that are for validation instead
  std::int64_t max_length = 128;  // tokens of either side, the end included
};

}  // namespace heddle
