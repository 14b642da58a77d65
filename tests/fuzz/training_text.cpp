// The text that a tokenizer is trained on: a byte that chooses the tokenizer, then lines. What is
// trained can be written, read again and used. Bytes that are no UTF-8 never come so far, since
// check_text() looks at all text first.
#include "data/tokenizer.h"
#include "data/utf8.h"
#include "tests/fuzz/support.h"

namespace heddle::fuzz {
namespace {

constexpr const char* kTokenizers[] = {
    R"({"type": "subword", "vocab_size": 60, "normalisation": "identity"})",
    R"({"type": "subword", "vocab_size": 40, "sample": 0.2})",
    R"({"type": "subword", "vocab_size": 50, "model": "unigram", "normalisation": "identity"})",
    R"({"type": "subword", "vocab_size": 30, "model": "unigram", "normalisation": "identity",
        "character_coverage": 0.99})",
    R"({"type": "word", "vocab_size": 20})",
    R"({"type": "character", "min_count": 2})",
};

LineSource lines_of(const std::string& text) {
  return [&text](const std::function<bool(std::string_view)>& use) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      if (!use(std::string_view(text).substr(at, end - at))) return;
      at = end + 1;
    }
  };
}

void train(const char* config, const std::string& text) {
  const ConfigDocument document = ConfigDocument::parse(config, "config");
  const auto trained = train_tokenizer(document.root(), lines_of(text));
  const auto read = load_tokenizer(trained->serialised(), "tokenizer");
  lines_of(text)([&](std::string_view line) {
    std::vector<std::int32_t> ids, again;
    trained->encode(line, ids);
    read->encode(line, again);
    require(ids == again, "a tokenizer that was read cuts as the one that was trained");
    read->decode(ids);
    return true;
  });
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  if (size == 0) return 0;
  const std::string text = heddle::with_replacements(text_of(data + 1, size - 1));
  answered([&] { train(kTokenizers[data[0] % std::size(kTokenizers)], text); });
  return 0;
}
