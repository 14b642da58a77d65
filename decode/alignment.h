// Which word of the source each word of an output comes from, as the decoder's attention to the
// source tells.
//
// The weights of the last cross-attention but one (of the only one, where there is one), the mean
// of its heads: of a Transformer that never saw alignments that layer is the best (Garg et al.
// 2019, "Jointly learning to align and translate with Transformer models").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/batch.h"
#include "data/tokenizers.h"
#include "layers/transformer.h"

namespace heddle {

/// Words, from 0, as white space divides the text.
struct WordLink {
  std::int32_t source, target;

  friend bool operator==(const WordLink&, const WordLink&) = default;
};

/// For each word of the output, in order, the word of the source that it looks at most. `source`
/// ends in Vocabulary::kEnd, `output` has no end. Nothing for an output without words, or a decoder
/// without cross-attention.
std::vector<WordLink> word_alignment(const Transformer& transformer, const Tokenizers& tokenizers,
                                     std::span<const std::int32_t> source,
                                     std::span<const std::int32_t> output, Context& context);

/// The same of given outputs: pairs that stand alone in their batches.
std::vector<std::vector<WordLink>> word_alignments(const Transformer& transformer,
                                                   const Tokenizers& tokenizers,
                                                   std::span<const PackedPairs> pairs, int threads);

/// As it is written: "0-0 2-1", source-output.
std::string text_of(std::span<const WordLink> links);

/// The number of the word that each token belongs to, by the words that decoding up to it gives;
/// -1 before the first word.
std::vector<std::int32_t> words_of_tokens(const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> ids);

}  // namespace heddle
