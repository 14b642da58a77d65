// Small Transformers for tests, made from the text of a config.
#pragma once

#include <string>
#include <vector>

#include "layers/transformer.h"

namespace heddle::testing {

/// What most of these models read and write.
inline const Vocabulary kVocabulary{11};
/// The options of the smallest model, for json_object().
inline const std::string kOneLayer = R"("d_model": 8, "heads": 2, "d_ff": 12, "layers": 1)";

/// A model with its parameters; biases and gains are random, too.
struct TestModel {
  ConfigDocument document;
  ParameterStore store;
  Transformer transformer;

  /// `model` is the JSON text of the object "model".
  explicit TestModel(const std::string& model, DType dtype = DType::kFloat64,
                     const Vocabularies& vocabularies = {kVocabulary, kVocabulary},
                     std::uint64_t seed = 1);
};

/// JSON of an object with the keys of `a`, then those of `b`, texts like `"heads": 2, "layers": 1`.
std::string json_object(const std::string& a, const std::string& b = "");

/// Sentences with random ids, packed, each of which ends in Vocabulary::kEnd.
struct Sentences {
  std::vector<std::int32_t> ids;
  std::vector<Sequence> sequences;

  Sentences() = default;
  Sentences(const std::vector<std::int32_t>& lengths, const Vocabulary& vocabulary,
            std::uint64_t seed);

  Tokens tokens() const { return {ids, sequences}; }
  std::vector<std::int32_t> sentence(std::size_t i) const;
  void append(const std::vector<std::int32_t>& sentence);
  /// The decoder's input for these outputs: start, then all but the last id.
  Sentences shifted(const Vocabulary& vocabulary) const;
};

/// The values of a float64 tensor.
std::vector<double> doubles(const Tensor& tensor);

}  // namespace heddle::testing
