// The parts of a SentencePiece model (its serialised ModelProto) that Heddle reads itself.
//
// SentencePiece parses any protocol buffer, but then trusts what it holds: a damaged normalisation
// table is read out of bounds, a score that is no number ends in an endless loop or an abort. So
// the bytes are checked before it sees them, and only the kind of model that Heddle trains is
// taken:
// </s> and <unk> as ids 0 and 1, then normal pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle {

struct SentencePieceModel {
  enum class Algorithm { kUnigram = 1, kBpe = 2 };
  struct Piece {
    std::string text;  // with U+2581 for a blank
    float score = 0;   // log probability (unigram) or minus the number of the merge (BPE)
  };

  Algorithm algorithm = Algorithm::kUnigram;
  std::vector<Piece> pieces;       // by id
  std::string_view normalisation;  // its table, within the bytes of the model; may be empty
};

/// Throws Error that says what is wrong with the bytes.
SentencePieceModel parse_sentencepiece_model(std::string_view bytes);

}  // namespace heddle
