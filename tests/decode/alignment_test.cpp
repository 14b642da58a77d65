// Alignments from cross-attention: words, not tokens, and the words that belong together.
#include "decode/alignment.h"

#include <doctest/doctest.h>

#include "decode/metrics/words.h"
#include "decode/trained_model.h"
#include "tests/support/runs.h"

using namespace heddle;
using heddle::testing::SmallRun;

namespace {

std::vector<std::int32_t> words(const char* type, std::string_view text) {
  const ConfigDocument config = ConfigDocument::parse(
      std::string(R"({"type": ")") + type + R"(", "vocab_size": 30})", "test.json");
  const auto tokenizer = train_tokenizer(config.root(), [](const auto& line) {
    for (int i = 0; i < 50; ++i) line("the cats are very small and the dogs are not");
  });
  std::vector<std::int32_t> ids;
  tokenizer->encode(text, ids);
  return words_of_tokens(*tokenizer, ids);
}

}  // namespace

TEST_CASE("alignment: tokens belong to words, whatever the tokenizer") {
  CHECK(words("word", "the very cats") == std::vector<std::int32_t>{0, 1, 2});
  CHECK(words("character", "cat s") == std::vector<std::int32_t>{0, 0, 0, 0, 1});
  const std::vector<std::int32_t> pieces = words("subword", "the cats not");
  CHECK(pieces.size() > 3);
  CHECK(pieces.front() <= 0);
  CHECK(pieces.back() == 2);
  CHECK(std::ranges::is_sorted(pieces));
  // A no-break space of two bytes divides words, but its first byte alone looks like one.
  CHECK(words("byte", "a \u00A0") == std::vector<std::int32_t>{0, 0, 0, 0});
  CHECK(words("byte", "a\u00A0bc") == std::vector<std::int32_t>{0, 0, 0, 1, 1});
  CHECK(words_of_tokens(
            *train_tokenizer(ConfigDocument::parse(R"({"type": "byte"})", "test.json").root(),
                             [](const auto&) {}),
            {})
            .empty());
}

TEST_CASE("alignment: a model that reverses looks at the words from the back") {
  SmallRun small(2000);
  small.train({.set = {"train.steps=400", "train.batch_tokens=600", "train.validate_every=500",
                       "model.d_model=32", "model.heads=1", "model.dropout=0"}});
  const TrainedModel model(small / "run");
  TranslatorOptions options = model.translator_options(2);
  options.align = true;
  Translator translator(model.transformer(), model.tokenizers(), options);
  const std::vector<std::string> lines = {"un deux trois quatre cinq", "", "sept six un quatre",
                                          "huit", "six deux cinq un trois huit"};
  const std::vector<Translation> translations = translator(lines);
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    const auto words = static_cast<std::int32_t>(words_of(lines[i]).size());
    CHECK(translations[i].outputs.size() == (words > 0 ? 1U : 0U));
    if (words == 0) continue;
    std::int32_t expected = 0;
    for (const WordLink& link : translations[i].outputs[0].alignment) {
      CHECK(link.target == expected++);
      CHECK((link.source >= 0 && link.source < words));
      right += link.source == words - 1 - link.target ? 1 : 0;
      ++all;
    }
    CHECK(expected == static_cast<std::int32_t>(words_of(translations[i].text()).size()));
  }
  CHECK(all == 16);
  CHECK(right >= 12);
  options.align = false;
  Translator plain(model.transformer(), model.tokenizers(), options);
  CHECK(plain(lines)[0].outputs[0].alignment.empty());
}
