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
#include <string_view>
#include <vector>

#include "data/tokenizers.h"
#include "layers/transformer.h"

namespace heddle {

/// Words, from 0: what stands between blanks (spaces and tabs), of the texts as they are given.
struct WordLink {
  std::int32_t source, target;

  friend bool operator==(const WordLink&, const WordLink&) = default;
};

/// Tokens without their end, and the number of the word that each belongs to: -1 before the first.
struct TokensOfWords {
  std::span<const std::int32_t> ids, words;
};

/// For each word of the output, in order, the word of the source that it looks at most. Nothing for
/// an output without words, or a decoder without cross-attention.
std::vector<WordLink> word_alignment(const Transformer& transformer, const TokensOfWords& source,
                                     const TokensOfWords& output, Context& context);

/// The two lines of a pair.
struct LinePair {
  std::string source, target;
};

/// The same of given outputs, which the model can read.
std::vector<std::vector<WordLink>> word_alignments(const Transformer& transformer,
                                                   const Tokenizers& tokenizers,
                                                   std::span<const LinePair> lines, int threads);

/// As it is written: "0-0 2-1", source-output.
std::string text_of(std::span<const WordLink> links);

/// Numbers words as text comes in.
class WordCounter {
 public:
  /// The number of the last word that begins in the text so far, -1 where none does.
  std::int32_t add(std::string_view text);

 private:
  std::int32_t last_ = -1;
  bool inside_ = false;
};

/// The words of the tokens that a line is encoded in, which are appended to `ids`. A token belongs
/// to the last word of which it has a part; a blank to the word before it.
std::vector<std::int32_t> encode_in_words(const Tokenizer& tokenizer, std::string_view line,
                                          std::vector<std::int32_t>& ids);

/// The same of tokens that a model found, by the text that they give.
std::vector<std::int32_t> words_of_tokens(const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> ids,
                                          WordCounter counter = {});

}  // namespace heddle
