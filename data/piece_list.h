// A vocabulary whose pieces stand in a list, the most frequent first: of words or of characters.
//
// In a file, after the lines of tokenizer_kind.h:
//   pieces 2
//   the
//   cat
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/tokenizer_kind.h"

namespace heddle {

/// Lets maps of strings be searched by views.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

class PieceCounts {
 public:
  void add(std::string_view piece);
  /// At most `limit` pieces that were seen at least `min_count` times, the most frequent first; of
  /// equally frequent ones the one whose bytes are smaller.
  std::vector<std::string> most_frequent(std::size_t limit, std::int64_t min_count) const;

 private:
  TextMap<std::int64_t> counts_;
};

/// The pieces of a vocabulary and their ids.
class PieceList {
 public:
  explicit PieceList(std::vector<std::string> pieces);
  /// Reads what write() wrote; each piece must satisfy `is_piece`, or else is no `what`.
  PieceList(TokenizerFile& file, bool (*is_piece)(std::string_view), std::string_view what);
  void write(std::string& text) const;

  Vocabulary vocabulary() const;
  /// kUnknown where it is not in the list.
  std::int32_t id(std::string_view piece) const;
  /// The text of any id but end and start, which have none.
  std::string_view text(std::int32_t id) const;

 private:
  /// Returns false where the piece is there already.
  bool add(std::string piece);

  std::vector<std::string> pieces_;  // piece i has the id kFirstPiece + i
  TextMap<std::int32_t> ids_;
};

/// How large a list may become: the keys "vocab_size" and "min_count". `what` are the pieces:
/// "words".
class PieceLimits {
 public:
  PieceLimits(const Config& config, std::string_view what);

  /// Throws DataError where that leaves none.
  PieceList choose(const PieceCounts& counts) const;

 private:
  std::string place_, what_;
  std::size_t pieces_;
  std::int64_t min_count_;
};

}  // namespace heddle
