#include "data/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <unordered_set>

#include "autograd/base/check.h"
#include "autograd/base/vocabulary.h"
#include "data/proto_reader.h"
#include "data/utf8.h"

namespace heddle {

namespace {

using Type = ProtoField::Type;

enum PieceType : std::uint64_t { kNormal = 1, kUnknown = 2, kControl = 3 };

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

// SentencePiece's table of normalisation: the size of a trie, the trie, and the texts that its
// leaves point into, each with a zero at its end. The trie is a double array (darts-clone) of
// 32-bit units; from unit p, a byte b leads to the unit p ^ offset(p) ^ b.
class NormalisationTable {
 public:
  explicit NormalisationTable(std::string_view table) {
    check(table.size() > 4, "the normalisation table is cut off");
    const std::uint32_t size = little_endian(table, 0);
    check(size <= table.size() - 4, "the normalisation table is cut off");
    trie_ = table.substr(4, size);
    texts_ = table.substr(4 + size);
    check(!trie_.empty() && trie_.size() % 4 == 0, "the normalisation trie has half a unit");
    check(!texts_.empty() && texts_.back() == '\0' && !first_invalid_byte(texts_),
          "the normalisation texts are damaged");
  }

  /// Whatever text is looked up, neither the trie nor the texts are left.
  void check_bounds() const {
    for (std::uint32_t p = 0; p < trie_.size() / 4; ++p) {
      const std::uint32_t unit = unit_at(p);
      if (p > 0 && (unit & kIsLeaf) != 0) continue;  // never walked through
      const std::uint32_t next = p ^ offset(unit);
      check((next | 0xFFu) < trie_.size() / 4, "the normalisation trie leads out of itself");
      if ((unit & kHasLeaf) != 0) check_text(unit_at(next) & ~kIsLeaf);
    }
  }

 private:
  static constexpr std::uint32_t kIsLeaf = 1u << 31, kHasLeaf = 1u << 8;

  static std::uint32_t offset(std::uint32_t unit) {
    return unit >> 10 << ((unit & (1u << 9)) >> 6);
  }
  std::uint32_t unit_at(std::uint32_t p) const { return little_endian(trie_, std::size_t{p} * 4); }
  void check_text(std::uint32_t begin) const {
    check(begin < texts_.size() && (texts_[begin] & 0xC0) != 0x80,
          "the normalisation trie points at no text");
  }

  std::string_view trie_, texts_;
};

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

void check_normaliser(std::string_view message) {
  constexpr std::uint64_t kName = 1, kTable = 2;
  std::string_view table;
  ProtoReader reader(message);
  while (const auto field = reader.next()) {
    check(field->type == Type::kBytes && (field->number == kName || field->number == kTable),
          "the normalisation has an unknown setting");
    if (field->number == kTable) table = field->bytes;
  }
  if (!table.empty()) NormalisationTable(table).check_bounds();
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
      check_normaliser(field->bytes);
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
