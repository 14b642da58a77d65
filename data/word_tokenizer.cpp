// Words: what stands between blanks (runs of spaces and tabs), as it is. decode() puts one space
// between words, so that text with single spaces comes back as it was.
#include "data/piece_list.h"
#include "data/utf8.h"

namespace heddle {

namespace {

/// Calls `use` with each word of a line.
template <class Use>
void for_each_word(std::string_view text, const Use& use) {
  std::size_t end = 0;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlanks, end);
    if (begin == text.npos) return;
    end = std::min(text.find_first_of(kBlanks, begin), text.size());
    use(text.substr(begin, end - begin));
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\n") == text.npos && !first_invalid_byte(text);
}

class WordTokenizer final : public Tokenizer {
 public:
  explicit WordTokenizer(PieceList words) : words_(std::move(words)) {}

  Vocabulary vocabulary() const override { return words_.vocabulary(); }

  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    for_each_word(text, [&](std::string_view word) { ids.push_back(words_.id(word)); });
  }

  void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                        std::vector<std::size_t>& ends) const override {
    for_each_word(text, [&](std::string_view word) {
      ids.push_back(words_.id(word));
      ends.push_back(static_cast<std::size_t>(word.data() - text.data()) + word.size());
    });
  }

  std::string piece(std::int32_t id) const override {
    check_token_id(id, vocabulary());
    if (id == Vocabulary::kEnd || id == vocabulary().start()) return "";
    return std::string(" ").append(words_.text(id));
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      check_token_id(id, vocabulary());
      if (id == Vocabulary::kEnd || id == vocabulary().start()) continue;
      if (!text.empty()) text += ' ';
      text += words_.text(id);
    }
    return text;
  }

  std::string serialised() const override {
    std::string text = tokenizer_header("word");
    words_.write(text);
    return text;
  }

 private:
  PieceList words_;
};

std::unique_ptr<Tokenizer> train(const Config& config, const LineSource& lines) {
  const PieceLimits limits(config, "words");
  PieceCounts counts;
  lines([&](std::string_view line) {
    for_each_word(line, [&](std::string_view word) {
      if (is_word(word)) counts.add(word);
    });
    return true;
  });
  return std::make_unique<WordTokenizer>(limits.choose(counts));
}

}  // namespace

TokenizerKind word_tokenizer() {
  return {.read_config = [](const Config& config) { PieceLimits(config, "words"); },
          .train = train,
          .load = [](TokenizerFile& file) -> std::unique_ptr<Tokenizer> {
            return std::make_unique<WordTokenizer>(PieceList(file, is_word, "word"));
          }};
}

}  // namespace heddle
