#include "data/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <unordered_set>

#include "autograd/base/check.h"
#include "autograd/base/vocabulary.h"
#include "data/normalisation_table.h"
#include "data/proto_reader.h"
#include "data/utf8.h"

namespace heddle {

namespace {

using Type = ProtoField::Type;

enum PieceType : std::uint64_t { kNormal = 1, kUnknown = 2, kControl = 3 };

/// Texts and numbers that SentencePiece keeps as a record change nothing; what would change how
/// text is cut, and no model of Heddle has, is refused.
SentencePieceModel::Algorithm read_trainer(std::string_view message) {
  constexpr std::uint64_t kModelType = 3, kWhitespaceAsSuffix = 24, kByteFallback = 35;
  std::uint64_t algorithm = 1;
  ProtoReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == kModelType) {
      check(field->type == Type::kVarint && (field->integer == 1 || field->integer == 2),
            "the model is neither unigram nor BPE");
      algorithm = field->integer;
    }
    const bool strange = field->number == kWhitespaceAsSuffix || field->number == kByteFallback;
    check(!strange || field->integer == 0, "the model uses byte fallback or blanks as suffix");
  }
  return static_cast<SentencePieceModel::Algorithm>(algorithm);
}

/// The table; empty where nothing is normalised.
std::string_view read_normaliser(std::string_view message) {
  constexpr std::uint64_t kName = 1, kTable = 2;
  std::string_view table;
  ProtoReader reader(message);
  while (const auto field = reader.next()) {
    check(field->type == Type::kBytes && (field->number == kName || field->number == kTable),
          "the normalisation has an unknown setting");
    if (field->number == kTable) table = field->bytes;
  }
  if (!table.empty()) NormalisationTable(table).check_bounds();
  return table;
}

SentencePieceModel::Piece read_piece(std::string_view message, std::size_t id) {
  constexpr std::size_t kLongest = 256;  // bytes
  constexpr float kLargestScore = 1e9f;  // sums over a line stay finite
  constexpr std::uint64_t kText = 1, kScore = 2, kType = 3;
  SentencePieceModel::Piece piece;
  std::uint64_t type = kNormal;
  ProtoReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == kText && field->type == Type::kBytes) {
      piece.text = field->bytes.substr(0, kLongest + 1);
    } else if (field->number == kScore && field->type == Type::k32Bits) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->integer));
    } else if (field->number == kType && field->type == Type::kVarint) {
      type = field->integer;
    } else {
      fail("piece ", id, " has an unknown setting");
    }
  }
  const bool special = id < Vocabulary::kFirstPiece;
  check(type == (id == Vocabulary::kEnd ? kControl
                 : special              ? kUnknown
                                        : kNormal),
        "piece ", id, " is of the wrong type: </s> and <unk> must be 0 and 1, the others normal");
  check(!piece.text.empty() && piece.text.size() <= kLongest &&
            piece.text.find_first_of(std::string_view("\n\0", 2)) == piece.text.npos &&
            !first_invalid_byte(piece.text),
        "the text of piece ", id, " is damaged");
  check(std::abs(piece.score) <= kLargestScore, "the score of piece ", id, " is damaged");
  return piece;
}

}  // namespace

SentencePieceModel parse_sentencepiece_model(std::string_view bytes) {
  constexpr std::uint64_t kPiece = 1, kTrainer = 2, kNormaliser = 3;
  SentencePieceModel model;
  std::unordered_set<std::string> texts;
  bool trained = false, normalised = false;
  ProtoReader reader(bytes);
  while (const auto field = reader.next()) {
    check(field->type == Type::kBytes, "field ", field->number, " of the model is no message");
    if (field->number == kPiece) {
      model.pieces.push_back(read_piece(field->bytes, model.pieces.size()));
      const std::string& text = model.pieces.back().text;
      check(texts.insert(text).second, "two pieces are \"", text, "\"");
    } else if (field->number == kTrainer && !trained) {
      model.algorithm = read_trainer(field->bytes);
      trained = true;
    } else if (field->number == kNormaliser && !normalised) {
      model.normalisation = read_normaliser(field->bytes);
      normalised = true;
    } else {
      fail("field ", field->number, " of the model is unknown or repeated");
    }
  }
  check(trained && normalised, "the model has no settings");
  check(model.pieces.size() > Vocabulary::kFirstPiece, "the model has no pieces");
  return model;
}

}  // namespace heddle
