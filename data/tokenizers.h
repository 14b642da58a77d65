// The tokenizers of both sides of a corpus: one for both, or one for each.
#pragma once

#include <filesystem>
#include <memory>

#include "data/data_config.h"
#include "data/tokenizer.h"

namespace heddle {

class Tokenizers {
 public:
  /// Reads the keys of the config's "tokenizer": "sides", joint or separate, and what the type
  /// needs; "source" and "target" may differ in it where they are separate.
  static void read_config(const Config& tokenizer);

  /// Whether "sides" says joint.
  static bool are_joint(const Config& tokenizer);

  /// Trains on the text, which is checked first. Throws DataError where lines are no UTF-8, files
  /// differ in length, or the text does not support the vocabulary.
  static Tokenizers train(const Config& tokenizer, const TextFiles& text);

  /// The files that save() wrote into `folder`. Throws FileError.
  static Tokenizers load(const std::filesystem::path& folder);
  void save(const std::filesystem::path& folder) const;
  /// Whether `folder` holds what load() needs.
  static bool are_in(const std::filesystem::path& folder);

  /// Whether they do the same to every text.
  bool equal(const Tokenizers& other) const;

  bool joint() const { return source_ == target_; }
  const Tokenizer& source() const { return *source_; }
  const Tokenizer& target() const { return *target_; }

 private:
  std::shared_ptr<const Tokenizer> source_, target_;
};

}  // namespace heddle
