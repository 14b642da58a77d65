// The text of a run as tokens: for training, and for validation.
//
// Tokenizers and token caches are kept in a folder of the run, so that the next start takes seconds
// where the text, the settings and the tokenizers are the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/corpus.h"
#include "data/tokenizers.h"
#include "decode/metrics/references.h"
#include "train/learner.h"

namespace heddle {

/// Shows a line to the user.
using Say = std::function<void(const std::string&)>;

/// The tokenizers that an earlier run trained on the same text with the same settings (`part` of
/// the resolved config), if they are in `folder`; else they are trained and put there.
Tokenizers trained_tokenizers(const Config& tokenizer, const std::string& part,
                              const TextFiles& text, const std::filesystem::path& folder,
                              const Say& say);

struct CorporaOptions {
  std::filesystem::path folder;  // of the caches
  int threads = 1;
  Say say;
  std::function<void()> tick;  // called now and then; may throw to stop
};

class Corpora {
 public:
  /// Opens or makes the caches. Throws as open_corpus() and HeldOut do. `tokenizers` must outlive
  /// the corpora.
  Corpora(const Tokenizers& tokenizers, const Settings& settings, const CorporaOptions& options);

  const PairSet& train() const { return *train_; }
  /// Null without validation.
  const PairSet* valid() const { return valid_ ? &*valid_ : nullptr; }
  std::uint64_t train_content() const { return train_cache_->content(); }
  std::uint64_t valid_content() const { return valid_content_; }
  /// What translations of the validation text are compared with, for each line of its files; empty
  /// where that is its target.
  const std::vector<References>& valid_references() const { return valid_references_; }
  /// Of the training text.
  const CorpusReport& report() const { return train_cache_->report(); }

 private:
  std::optional<TokenCache> train_cache_, valid_cache_;
  std::optional<PairSet> train_, valid_;
  std::vector<References> valid_references_;
  std::uint64_t valid_content_ = 0;
};

}  // namespace heddle
