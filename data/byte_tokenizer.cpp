// The 256 bytes as pieces: byte b is id 2 + b, so V = 259 and nothing is unknown. Ids can be cut
// anywhere, and a model can choose any; decode() still gives one line of valid UTF-8: what is no
// character, and the end of a line, become U+FFFD. A line of valid UTF-8 comes back as it was.
#include "data/tokenizer_kind.h"
#include "data/utf8.h"

namespace heddle {

namespace {

constexpr std::int32_t kBytes = 256;

class ByteTokenizer final : public Tokenizer {
 public:
  Vocabulary vocabulary() const override { return {Vocabulary::kSmallest + kBytes}; }

  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
    ids.reserve(ids.size() + text.size());
    for (const char c : text)
      ids.push_back(Vocabulary::kFirstPiece + static_cast<unsigned char>(c));
  }

  void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                        std::vector<std::size_t>& ends) const override {
    encode(text, ids);
    for (std::size_t i = 1; i <= text.size(); ++i) ends.push_back(i);
  }

  std::string piece(std::int32_t id) const override {
    check_token_id(id, vocabulary());
    std::string bytes;
    append(id, bytes);
    return bytes;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string bytes;
    for (const std::int32_t id : ids) {
      check_token_id(id, vocabulary());
      append(id, bytes);
    }
    return with_replacements(bytes);
  }

  std::string serialised() const override { return tokenizer_header("byte"); }

 private:
  void append(std::int32_t id, std::string& bytes) const {
    if (id == Vocabulary::kUnknown) bytes += kUnknownText;
    if (id < Vocabulary::kFirstPiece || id == vocabulary().padding()) return;
    const std::int32_t byte = id - Vocabulary::kFirstPiece;
    // Alone, 0xFF is never valid.
    bytes += static_cast<char>(byte == '\n' ? 0xFF : byte);
  }
};

}  // namespace

TokenizerKind byte_tokenizer() {
  return {.read_config = [](const Config&) {},
          .train = [](const Config&, const LineSource&) -> std::unique_ptr<Tokenizer> {
            return std::make_unique<ByteTokenizer>();
          },
          .load = [](TokenizerFile& file) -> std::unique_ptr<Tokenizer> {
            file.require(file.rest().empty(),
                         "has more lines than a byte tokenizer; it is damaged");
            return std::make_unique<ByteTokenizer>();
          }};
}

}  // namespace heddle
