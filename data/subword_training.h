// Trains SentencePiece models. The same text and settings give the same bytes on every machine: the
// number of threads, on which sums depend, is fixed, and so is the choice of lines.
#pragma once

#include <string>

#include "data/tokenizer.h"

namespace heddle {

/// What "type": "subword" reads.
struct SubwordSettings {
  std::string model;          // as SentencePiece calls it
  std::string normalisation;  // as SentencePiece calls it
  std::int32_t vocab_size;    // V
  double character_coverage;
  double sample;
  std::string place;  // of the config, for errors

  explicit SubwordSettings(const Config& config);
};

/// A serialised ModelProto with V - 1 pieces. Throws DataError where the text does not support
/// them.
std::string train_sentencepiece(const SubwordSettings& settings, const LineSource& lines);

}  // namespace heddle
