// A model that was trained, read from its folder: what a checkpoint holds, ready to translate.
#pragma once

#include <filesystem>
#include <string>

#include "autograd/kernels/row_invariant_product.h"
#include "autograd/parameter.h"
#include "data/data_config.h"
#include "data/tokenizers.h"
#include "decode/translator.h"
#include "layers/transformer.h"

namespace heddle {

/// The files of a checkpoint that a model consists of.
inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kAverageFile = "ema.safetensors";  // the weights' moving average
inline constexpr const char* kConfigFile = "config.json";
/// What only training goes on with.
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";

/// The checkpoint folder that `model` means: itself, or of a run its best, else its last one
/// (run_checkpoints.h).
/// Throws FileError for what is neither.
std::filesystem::path find_checkpoint(const std::filesystem::path& model);
/// The file with the weights that a checkpoint translates with: the moving average, where training
/// kept one.
std::filesystem::path weights_file(const std::filesystem::path& checkpoint);

class TrainedModel {
 public:
  /// Throws FileError where files are missing, damaged (seal.h) or do not fit together. Weights are
  /// mapped, not copied; translating keeps a copy of them in the order of products.
  explicit TrainedModel(const std::filesystem::path& model);

  const std::filesystem::path& folder() const { return folder_; }
  const Tokenizers& tokenizers() const { return tokenizers_; }
  const ParameterStore& store() const { return store_; }
  const Transformer& transformer() const { return transformer_; }
  /// Tokens of a line, the end included: 1,024, or more where training allowed more.
  std::int64_t longest_line() const;
  /// How it translates: as its config says.
  TranslatorOptions translator_options(int threads) const;
  /// The resolved config of its run, as JSON.
  std::string config_text() const;

 private:
  std::filesystem::path folder_;
  ConfigDocument config_;
  Tokenizers tokenizers_;
  ParameterStore store_;
  Transformer transformer_;
  DecodeConfig decode_;
  DataConfig data_;
  mutable kernels::PreparedWeights prepared_weights_;
};

}  // namespace heddle
