// What tests of tokenizers share: training from a line of JSON, ids as a vector, and a small text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"

namespace heddle::testing {

using Ids = std::vector<std::int32_t>;
using Lines = std::vector<std::string>;

inline LineSource source_of(const Lines& lines) {
  return [&lines](const std::function<bool(std::string_view)>& use) {
    for (const std::string& line : lines) {
      if (!use(line)) return;
    }
  };
}

inline std::unique_ptr<Tokenizer> trained(const std::string& tokenizer, const Lines& lines) {
  const auto document = ConfigDocument::parse("{\"tokenizer\": " + tokenizer + "}", "test.json");
  const Config config = document.root().object("tokenizer", "The tokenizer.");
  auto result = train_tokenizer(config, source_of(lines));
  document.finish();
  return result;
}

inline Ids encoded(const Tokenizer& tokenizer, std::string_view text) {
  Ids ids;
  tokenizer.encode(text, ids);
  return ids;
}

inline Ids sampled(const Tokenizer& tokenizer, std::string_view text, std::uint64_t random) {
  Ids ids;
  tokenizer.sample(text, random, ids);
  return ids;
}

inline std::string there_and_back(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.decode(encoded(tokenizer, text));
}

/// SentencePiece's own bytes in a file of a subword tokenizer.
inline std::string_view model_in(std::string_view bytes) {
  for (int line = 0; line < 4; ++line) bytes.remove_prefix(bytes.find('\n') + 1);
  return bytes;
}

/// 316 different sentences with letters of one to three bytes.
inline Lines small_text() {
  Lines lines;
  for (const char* who :
       {"die Bäckerin", "der Müller", "das Mädchen", "ein Gärtner", "la élève", "mon frère"}) {
    for (const char* what : {"sieht", "hört", "vergißt", "erzählt von", "malt", "grüßt"}) {
      for (const char* whom : {"den Schäfer", "große Häuser", "l’été", "naïve Zuschauer",
                               "5 € für Œuvres", "unser Kätzchen"}) {
        lines.push_back(std::string(who).append(" ").append(what).append(" ").append(whom));
      }
    }
  }
  for (const char* first :
       {"Apfel", "Obst", "Rüben", "Käse", "Milch", "Grün", "Fisch", "Zucker", "Wachs", "Pilz"}) {
    for (const char* last : {"händler", "garten", "markt", "verkauf", "kiste", "suppe", "brötchen",
                             "messer", "jahr", "quelle"}) {
      lines.push_back(std::string("wo ist dein ").append(first).append(last).append("?"));
    }
  }
  return lines;
}

/// Lines that no corpus should hold, and some does.
inline Lines hostile_lines() {
  const std::string controls("\x01\x02\x7F\x1B[0m", 7);
  const std::string zeros("a\0b\0", 4);
  Lines lines = {"",
                 " ",
                 "\t  \t",
                 "\r",
                 controls,
                 zeros,
                 "\xFF\xFE\x80",
                 "\xE2\x82",
                 "</s>",
                 "<unk> x",
                 "▁",
                 "▁ ▁▁x",
                 "a▅b",
                 "\u2028\u0085\u00A0",
                 "漢字かな",
                 "👩‍👩‍👧‍👦 🏴",
                 "e\u0301\u0301\u0301"};
  lines.emplace_back(100'000, 'a');
  lines.emplace_back(100'000, ' ');
  std::string words;
  while (words.size() < 100'000) words += "große Häuser ☃ ";
  lines.push_back(words);
  return lines;
}

}  // namespace heddle::testing
