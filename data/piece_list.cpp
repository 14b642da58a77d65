#include "data/piece_list.h"

#include <algorithm>

#include "data/utf8.h"

namespace heddle {

void PieceCounts::add(std::string_view piece) {
  const auto at = counts_.find(piece);
  if (at != counts_.end()) {
    ++at->second;
  } else {
    counts_.emplace(piece, 1);
  }
}

std::vector<std::string> PieceCounts::most_frequent(std::size_t limit,
                                                    std::int64_t min_count) const {
  using Count = std::pair<std::int64_t, std::string_view>;
  std::vector<Count> counts;
  for (const auto& [piece, count] : counts_) {
    if (count >= min_count) counts.emplace_back(count, piece);
  }
  const auto before = [](const Count& a, const Count& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  const std::size_t kept = std::min(limit, counts.size());
  const auto end = counts.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(counts.begin(), end, counts.end(), before);
  std::vector<std::string> pieces;
  for (auto count = counts.begin(); count != end; ++count) pieces.emplace_back(count->second);
  return pieces;
}

PieceList::PieceList(std::vector<std::string> pieces) {
  for (std::string& piece : pieces) add(std::move(piece));
}

PieceList::PieceList(TokenizerFile& file, bool (*is_piece)(std::string_view),
                     std::string_view what) {
  // The count is not believed, only compared: nothing is allocated by it.
  const std::uint64_t count = file.number_of("pieces");
  file.require(count < (1u << 30), "claims ", count, " pieces; the file is damaged");
  while (pieces_.size() < count) {
    const std::string_view piece = file.line();
    file.require(is_piece(piece), "line ", file.line_number(), " is no ", what,
                 "; the file is damaged");
    file.require(add(std::string(piece)), "line ", file.line_number(),
                 " repeats an earlier one; the file is damaged");
  }
  file.require(file.rest().empty(), "has lines after its ", count, " pieces; the file is damaged");
}

void PieceList::write(std::string& text) const {
  text.append("pieces ").append(std::to_string(pieces_.size())).append("\n");
  for (const std::string& piece : pieces_) text.append(piece).append("\n");
}

Vocabulary PieceList::vocabulary() const {
  return {Vocabulary::kSmallest + static_cast<std::int32_t>(pieces_.size())};
}

std::int32_t PieceList::id(std::string_view piece) const {
  const auto at = ids_.find(piece);
  return at == ids_.end() ? Vocabulary::kUnknown : at->second;
}

std::string_view PieceList::text(std::int32_t id) const {
  if (id == Vocabulary::kUnknown) return kUnknownText;
  return pieces_.at(static_cast<std::size_t>(id - Vocabulary::kFirstPiece));
}

bool PieceList::add(std::string piece) {
  const auto id = Vocabulary::kFirstPiece + static_cast<std::int32_t>(pieces_.size());
  if (!ids_.emplace(piece, id).second) return false;
  pieces_.push_back(std::move(piece));
  return true;
}

PieceLimits::PieceLimits(const Config& config, std::string_view what)
    : place_(place_of(config)), what_(what) {
  const std::string about = "Most ids, the three special ones counted; the most frequent " + what_;
  const std::int64_t size = config.integer(
      "vocab_size", 32000, {Vocabulary::kSmallest + 1, 1 << 30}, about + " get one.");
  pieces_ = static_cast<std::size_t>(size - Vocabulary::kSmallest);
  min_count_ = config.integer("min_count", 1, {1, std::numeric_limits<std::int64_t>::max()},
                              "How often the text must hold what gets an id.");
}

PieceList PieceLimits::choose(const PieceCounts& counts) const {
  std::vector<std::string> pieces = counts.most_frequent(pieces_, min_count_);
  check<DataError>(!pieces.empty(), place_, ": the text holds no ", what_, " that occur ",
                   min_count_, " times or more; lower min_count or give more text");
  return PieceList(std::move(pieces));
}

}  // namespace heddle
