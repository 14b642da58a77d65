// The gradient check of a whole Transformer, in float64: every parameter of a small one, random
// directions of a large one. The loss is that of training, dropout and label smoothing included, on
// a ragged batch of random sentences.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/gradcheck.h"
#include "layers/transformer.h"

namespace heddle {

/// Random sentence pairs of a fixed raggedness.
class RandomExamples {
 public:
  /// Lengths are those given, ends included.
  RandomExamples(const Vocabularies& vocabularies, std::span<const std::int32_t> source_lengths,
                 std::span<const std::int32_t> target_lengths, std::uint64_t seed);

  Examples examples() const;
  /// 1 / N for each of N target tokens.
  std::span<const double> row_weights() const { return weights_; }

 private:
  std::vector<Sequence> source_sequences_, target_sequences_;
  std::vector<std::int32_t> source_, target_input_, target_output_;
  std::vector<double> weights_;
};

/// A model in float64 with the parameters and the examples of a check.
class ModelUnderCheck {
 public:
  /// Biases and gains, too, get random values, so that no gradient hides behind a zero.
  ModelUnderCheck(const Config& model, const Vocabularies& vocabularies,
                  std::span<const std::int32_t> source_lengths,
                  std::span<const std::int32_t> target_lengths, std::uint64_t seed = 1);

  ParameterStore& store() { return store_; }
  /// The loss of the examples.
  Tensor operator()(Context& context) const;

 private:
  ParameterStore store_{DType::kFloat64};
  Transformer transformer_;
  RandomExamples examples_;
};

/// The gradient check of every parameter of a model. A hidden unit of a ReLU model may stand at its
/// kink, where central differences say nothing: then other parameters are drawn, a few times.
/// Coordinates that fail are never tried again.
GradcheckReport check_model_gradients(const std::string& name, const Config& model,
                                      const Vocabularies& vocabularies,
                                      std::span<const std::int32_t> source_lengths,
                                      std::span<const std::int32_t> target_lengths,
                                      const GradcheckOptions& options = {});

}  // namespace heddle
