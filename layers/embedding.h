// Token embeddings and the output projection, which may share tables (Vaswani et al. 2017, section
// 3.4; Press and Wolf 2017). The config's "tie" says which of the three are one:
//
//   all            source = target = output       embedding.weight
//   source_target  source = target                embedding.weight, output.weight
//   target_output           target = output       source_embedding.weight, target_embedding.weight
//   none                                          all three of them
#pragma once

#include <cstdint>
#include <span>

#include "autograd/base/sequences.h"
#include "autograd/base/vocabulary.h"
#include "layers/positions.h"

namespace heddle {

struct Vocabularies {
  Vocabulary source, target;
};

/// Tables [vocabulary, d_model]; tied ones are the same parameter.
struct EmbeddingTables {
  Parameter source, target, output;

  /// Reads "tie" from `model`. Tied tables must agree in vocabulary and d_model.
  static EmbeddingTables declare(const Scope& scope, const Config& model,
                                 const Vocabularies& vocabularies, std::int64_t encoder_d_model,
                                 std::int64_t decoder_d_model);
};

/// dropout(sqrt(d_model) table[id] + position), of one side.
class Embedding {
 public:
  /// Reads "embedding_dropout" and what Positions reads.
  Embedding(const Scope& scope, const Config& config, Parameter table, const Vocabulary& vocabulary,
            std::int64_t d_model);

  /// ids [tokens] -> [tokens, d_model]; padding = start gives zeros (and its position).
  /// `first_positions`, per sentence, are those of the first token: decoding; empty: all 0.
  Tensor operator()(Context& context, std::span<const std::int32_t> ids, Sequences sequences,
                    std::span<const std::int32_t> first_positions = {}) const;

  /// How many tokens a sentence may have.
  std::int64_t longest() const { return positions_.longest(); }

 private:
  Parameter table_;
  Vocabulary vocabulary_;
  double scale_;
  double dropout_;
  Positions positions_;
};

}  // namespace heddle
