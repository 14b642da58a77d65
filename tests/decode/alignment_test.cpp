// Alignments from cross-attention: words, not tokens, and the words that belong together.
#include "decode/alignment.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "decode/metrics/words.h"
#include "decode/trained_model.h"
#include "tests/support/runs.h"

using namespace heddle;
using heddle::testing::SmallRun;

namespace {

using Words = std::vector<std::int32_t>;

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& type) {
  const ConfigDocument config =
      ConfigDocument::parse(R"({"type": ")" + type + R"(", "vocab_size": 30})", "test.json");
  return train_tokenizer(config.root(), [](const auto& line) {
    for (int i = 0; i < 50; ++i) line("the cats are very small and the dogs are not");
  });
}

Words words(const char* type, std::string_view text) {
  std::vector<std::int32_t> ids, encoded;
  const auto tokenizer = tokenizer_of(type);
  Words result = encode_in_words(*tokenizer, text, ids);
  tokenizer->encode(text, encoded);
  CHECK(ids == encoded);
  CHECK(result.size() == ids.size());
  return result;
}

/// Divides the text that the tokens decode to into words.
Words words_of_output(const char* type, std::string_view text) {
  std::vector<std::int32_t> ids;
  const auto tokenizer = tokenizer_of(type);
  tokenizer->encode(text, ids);
  return words_of_tokens(*tokenizer, ids);
}

}  // namespace

TEST_CASE("alignment: tokens belong to words, whatever the tokenizer") {
  for (const auto& of : {words, words_of_output}) {
    CHECK(of("word", "the very cats") == Words{0, 1, 2});
    CHECK(of("character", "cat s") == Words{0, 0, 0, 0, 1});
    const Words pieces = of("subword", "the cats not");
    CHECK(pieces.size() > 3);
    CHECK(pieces.front() <= 0);
    CHECK(pieces.back() == 2);
    CHECK(std::ranges::is_sorted(pieces));
    // Only spaces and tabs divide words.
    CHECK(of("byte", "a \u00A0") == Words{0, 0, 1, 1});
    CHECK(of("byte", "a\u00A0bc d") == Words{0, 0, 0, 0, 0, 0, 1});
    CHECK(of("byte", "").empty());
    CHECK(of("subword", "").empty());
  }
}

TEST_CASE("alignment: words are those of the line as it is given, not of a normalised one") {
  CHECK(words("character", " \t cat \ts ") == Words{-1, -1, -1, 0, 0, 0, 0, 0, 1, 1});
  const auto last = [](const Words& numbers) { return numbers.empty() ? -1 : numbers.back(); };
  for (const char* type : {"word", "character", "byte", "subword"}) {
    CAPTURE(std::string(type));
    CHECK(last(words(type, "the\u00A0cats are small")) == 2);
    CHECK(last(words(type, "the\u200Bcats are small")) == 2);
    CHECK(last(words(type, "the\u3000cats\u2009are small")) == 1);
    CHECK(last(words(type, "the\u2581cats small")) == 1);
    CHECK(last(words(type, "the\tcats  are \t small")) == 3);
    CHECK(last(words(type, "\t the cats  ")) == 1);
    CHECK(last(words(type, "the \u200B cats")) == 2);
    CHECK(last(words(type, "ﬁ Ｍ ½ \uFDFA e\u0301 ☃☃")) == 5);
  }
  CHECK(std::ranges::count(words("subword", "the \uFDFA are"), 1) > 1);  // a character of 18
  CHECK(words("subword", "are ½").back() == 1);
  // Each word has the tokens that stand for it.
  const Words divided = words("subword", "the cats the"),
              joined = words("subword", "the\u00A0cats the");
  REQUIRE(divided.size() == joined.size());
  for (std::size_t i = 0; i < joined.size(); ++i) {
    CHECK(joined[i] == std::max(0, divided[i] - 1));
  }
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
