// The encoder-decoder Transformer (Vaswani et al. 2017, figure 1).
//
// Tokens are packed: real tokens only, sentence after sentence. The same forward serves training,
// validation, and decoding token by token: with a cache, `decode` is given the new tokens of every
// hypothesis and sees those before them in the cache.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "layers/embedding.h"
#include "layers/stack.h"

namespace heddle {

/// Packed sentences, as ids.
struct Tokens {
  std::span<const std::int32_t> ids;
  Sequences sequences;
};

/// Sentence pairs to learn from. The input of a sentence y is (start, y without its last token),
/// its output is y, which ends in Vocabulary::kEnd.
struct Examples {
  Tokens source;
  Tokens target_input;
  std::span<const std::int32_t> target_output;  // as many as there are inputs
};

class Transformer {
 public:
  /// Declares all parameters; `model` is the config's object of that name.
  Transformer(const Scope& scope, const Config& model, const Vocabularies& vocabularies);
  // Its sublayers' names are pointed at by steps.
  Transformer(const Transformer&) = delete;
  Transformer& operator=(const Transformer&) = delete;

  /// source ids -> states [source tokens, d_model of the encoder].
  Memory encode(Context& context, const Tokens& source, AttentionMaps* maps = nullptr) const;
  /// All target tokens at once -> states [target tokens, d_model of the decoder].
  Tensor decode(Context& context, const Tokens& target, const Memory& memory,
                AttentionMaps* maps = nullptr) const;
  /// Row i of `states` -> the scores of what may come next, [rows, classes]: all ids but padding.
  Tensor logits(Context& context, const Tensor& states) const;

  /// sum_i w_i loss_i over the target tokens, with label smoothing (see cross_entropy): a scalar.
  /// Weights of 1 / N for N tokens make it the mean.
  Tensor loss(Context& context, const Examples& examples, std::span<const double> row_weights,
              double label_smoothing) const;

  /// Begins to decode step by step in `cache`, with a hypothesis for each sentence of `source`. The
  /// encoder runs over a few sentences at a time, in steps of their own, so that the arena stays
  /// small. Inference.
  void begin_decoding(Context& context, const Tokens& source, DecoderCache& cache) const;
  /// The next tokens of every hypothesis, at least one of each -> their states. Where it throws,
  /// the cache has to be begun anew.
  Tensor decode(Context& context, const Tokens& next, DecoderCache& cache,
                AttentionMaps* maps = nullptr) const;

  /// How many tokens a sentence may have on either side, ends included.
  std::int64_t longest_source() const { return source_embedding_.longest(); }
  std::int64_t longest_target() const { return target_embedding_.longest(); }

  /// Width of the decoder.
  std::int64_t d_model() const { return output_.shape()[1]; }
  const Vocabularies& vocabularies() const { return vocabularies_; }
  const Stack& encoder() const { return encoder_; }
  const Stack& decoder() const { return decoder_; }

 private:
  struct Parts;
  Transformer(const Scope& scope, const Parts& parts, const Vocabularies& vocabularies);

  Vocabularies vocabularies_;
  Parameter output_;  // [target vocabulary, d_model]
  Embedding source_embedding_, target_embedding_;
  Stack encoder_, decoder_;
  std::optional<Parameter> output_bias_;  // [target vocabulary]
};

}  // namespace heddle
