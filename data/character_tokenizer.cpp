// Characters: Unicode code points, blanks among them; decode() puts them together again. A piece of
// a line that is no valid UTF-8 is one unknown character.
#include "data/piece_list.h"
#include "data/utf8.h"

namespace heddle {

namespace {

bool is_character(std::string_view text) {
  if (text.empty() || text == "\n") return false;
  const CodePoint first = first_code_point(text);
  return first.valid && first.bytes.size() == text.size();
}

class CharacterTokenizer final : public Tokenizer {
 public:
  explicit CharacterTokenizer(PieceList characters) : characters_(std::move(characters)) {}

  Vocabulary vocabulary() const override { return characters_.vocabulary(); }

  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    for (const CodePoint& c : CodePoints(text)) ids.push_back(characters_.id(c.bytes));
  }

  void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                        std::vector<std::size_t>& ends) const override {
    std::size_t end = 0;
    for (const CodePoint& c : CodePoints(text)) {
      ids.push_back(characters_.id(c.bytes));
      ends.push_back(end += c.bytes.size());
    }
  }

  std::string piece(std::int32_t id) const override { return decode(std::span(&id, 1)); }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      check_token_id(id, vocabulary());
      if (id != Vocabulary::kEnd && id != vocabulary().start()) text += characters_.text(id);
    }
    return text;
  }

  std::string serialised() const override {
    std::string text = tokenizer_header("character");
    characters_.write(text);
    return text;
  }

 private:
  PieceList characters_;
};

std::unique_ptr<Tokenizer> train(const Config& config, const LineSource& lines) {
  const PieceLimits limits(config, "characters");
  PieceCounts counts;
  lines([&](std::string_view line) {
    for (const CodePoint& c : CodePoints(line)) {
      if (c.valid) counts.add(c.bytes);
    }
    return true;
  });
  return std::make_unique<CharacterTokenizer>(limits.choose(counts));
}

}  // namespace

TokenizerKind character_tokenizer() {
  return {.read_config = [](const Config& config) { PieceLimits(config, "characters"); },
          .train = train,
          .load = [](TokenizerFile& file) -> std::unique_ptr<Tokenizer> {
            return std::make_unique<CharacterTokenizer>(PieceList(file, is_character, "character"));
          }};
}

}  // namespace heddle
