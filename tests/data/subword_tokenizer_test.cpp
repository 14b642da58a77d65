// SentencePiece behind our contract of ids.
#include <doctest/doctest.h>
#include <sentencepiece_processor.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "data/utf8.h"
#include "tests/data/tokenizers.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

const std::string kBpe = R"({"type": "subword", "vocab_size": 120})";
const std::string kUnigram = R"({"type": "subword", "model": "unigram", "vocab_size": 100})";
const std::string kIdentity =
    R"({"type": "subword", "vocab_size": 120, "normalisation": "identity"})";

TEST_CASE("subword tokenizer: has as many ids as asked for, and text comes back") {
  const Lines lines = small_text();
  for (const std::string& config : {kBpe, kUnigram, kIdentity}) {
    CAPTURE(config);
    const auto tokenizer = trained(config, lines);
    CHECK(tokenizer->vocabulary().size == (config == kUnigram ? 100 : 120));
    std::set<std::int32_t> used;
    for (const std::string& line : lines) {
      CHECK(there_and_back(*tokenizer, line) == line);
      const Ids ids = encoded(*tokenizer, line);
      CHECK(ids.size() < line.size() * 3 / 4);
      CHECK(std::ranges::all_of(ids, [](auto id) { return id >= Vocabulary::kFirstPiece; }));
      used.insert(ids.begin(), ids.end());
    }
    CHECK(*used.rbegin() < tokenizer->vocabulary().start());
    CHECK(used.size() > 60);
  }
}

TEST_CASE("subword tokenizer: training twice gives the same bytes, other text others") {
  Lines lines = small_text();
  for (const std::string& config : {kBpe, kUnigram}) {
    const std::string bytes = trained(config, lines)->serialised();
    CHECK(trained(config, lines)->serialised() == bytes);
    CHECK(bytes != trained(config, Lines(lines.begin(), lines.end() - 20))->serialised());
  }
}

TEST_CASE("subword tokenizer: a loaded one is the one that was saved") {
  const Lines lines = small_text();
  for (const std::string& config : {kBpe, kUnigram}) {
    const auto tokenizer = trained(config, lines);
    const auto loaded = load_tokenizer(tokenizer->serialised(), "t");
    CHECK(loaded->vocabulary() == tokenizer->vocabulary());
    CHECK(loaded->serialised() == tokenizer->serialised());
    for (const std::string& line : lines) {
      CHECK(encoded(*loaded, line) == encoded(*tokenizer, line));
    }
  }
}

/// Words, blanks of many kinds, marks that combine with what is before them, and broken UTF-8.
std::string random_line(std::mt19937& random) {
  constexpr std::string_view kParts[] = {
      "Käse", "markt", " ",      "  ",     "\t",     "\u00A0", "\u200B", "\u0301", "☃", "▁",
      "\xE2", "\x82",  "\u3000", "\uFDFA", "\u1100", "\u1161", "a",      " ",      "½", "\x01"};
  std::string line;
  for (int i = 0; i < 12; ++i) line += kParts[random() % std::size(kParts)];
  return line;
}

TEST_CASE("subword tokenizer: BPE word by word is what SentencePiece makes of whole lines") {
  std::mt19937 random(5);
  Lines lines = small_text();
  for (int i = 0; i < 3000; ++i) lines.push_back(random_line(random));
  for (const std::string& line : hostile_lines()) lines.push_back(line);
  for (const char* normalisation : {"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "identity"}) {
    CAPTURE(std::string(normalisation));
    const auto tokenizer = trained(R"({"type": "subword", "vocab_size": 120, "normalisation": ")" +
                                       std::string(normalisation) + "\"}",
                                   small_text());
    const std::string bytes = tokenizer->serialised();
    sentencepiece::SentencePieceProcessor theirs;
    REQUIRE(theirs.LoadFromSerializedProto(model_in(bytes)).ok());
    for (const std::string& line : lines) {
      Ids whole;
      REQUIRE(theirs.Encode(line, &whole).ok());
      CHECK(encoded(*tokenizer, line) == whole);
      CHECK(encoded(*tokenizer, line) == whole);  // now known
    }
  }
}

TEST_CASE("subword tokenizer: several threads get what one gets") {
  Lines lines = small_text();
  for (std::size_t i = 0; i < 2000; ++i) {
    lines.push_back("Wort" + std::to_string(i) + " " + lines[i % 300]);
  }
  for (const std::string& config : {kBpe, kUnigram}) {
    const auto tokenizer = trained(config, small_text());
    const auto alone = load_tokenizer(tokenizer->serialised(), "t");
    std::vector<std::vector<Ids>> results(4);
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        for (const std::string& line : lines) result.push_back(encoded(*tokenizer, line));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const Ids expected = encoded(*alone, lines[i]);
      for (const auto& result : results) CHECK(result[i] == expected);
    }
  }
}

TEST_CASE("subword tokenizer: any line is encoded in ids of classes, none is the end") {
  for (const std::string& config : {kBpe, kUnigram, kIdentity}) {
    CAPTURE(config);
    const auto tokenizer = trained(config, small_text());
    for (const std::string& line : hostile_lines()) {
      for (const std::int32_t id : encoded(*tokenizer, line)) {
        if (id < Vocabulary::kUnknown || id >= tokenizer->vocabulary().start()) FAIL_CHECK(id);
      }
    }
    CHECK(encoded(*tokenizer, "").empty());
    CHECK(encoded(*tokenizer, " \t ").empty() == (config != kIdentity));
  }
}

TEST_CASE("subword tokenizer: any ids are decoded to one line of UTF-8") {
  std::mt19937 random(7);
  for (const std::string& config : {kBpe, kUnigram}) {
    const auto tokenizer = trained(config, small_text());
    for (int round = 0; round < 200; ++round) {
      Ids ids(20);
      for (auto& id : ids) {
        id = static_cast<std::int32_t>(random() %
                                       static_cast<unsigned>(tokenizer->vocabulary().size));
      }
      const std::string text = tokenizer->decode(ids);
      CHECK_FALSE(first_invalid_byte(text));
      CHECK(text.find('\n') == text.npos);
    }
    CHECK_MESSAGE_THROWN(tokenizer->decode(Ids{tokenizer->vocabulary().size}),
                         "is not in a vocabulary");
  }
}

TEST_CASE("subword tokenizer: what is unknown is one id and one mark") {
  const auto tokenizer = trained(kBpe, small_text());
  CHECK(there_and_back(*tokenizer, "Häuser ☃☃☃ für☃") == "Häuser ⁇ für⁇");
  const Ids ids = encoded(*tokenizer, "☃☃");
  CHECK(std::ranges::count(ids, Vocabulary::kUnknown) == 1);
}

TEST_CASE("subword tokenizer: the normalisation is a key") {
  const Lines lines = small_text();
  CHECK(there_and_back(*trained(kBpe, lines), "ﬁ  Ｍ") == "fi M");
  const std::string folded =
      R"({"type": "subword", "vocab_size": 120, "normalisation": "nmt_nfkc_cf"})";
  CHECK(there_and_back(*trained(folded, lines), "GROßE Häuser") == "große häuser");
  CHECK(there_and_back(*trained(kIdentity, lines), "Ｍ große") == "⁇ große");
}

TEST_CASE("subword tokenizer: text that looks like special ids is text") {
  Lines lines = {"< / > k"};
  for (const std::string& line : small_text()) lines.push_back("</s>" + line + " <unk> ＜/s＞");
  for (const std::string& config : {kBpe, kUnigram}) {
    CAPTURE(config);
    const auto tokenizer = trained(config, lines);
    for (const std::string text : {"a </s> b", "a</s>b", "<unk> </s>", "</s>", "<unk><unk></s>"}) {
      CHECK(there_and_back(*tokenizer, text) == text);
      const Ids ids = encoded(*tokenizer, text);
      CHECK(std::ranges::all_of(ids, [](auto id) { return id >= Vocabulary::kFirstPiece; }));
    }
  }
}

TEST_CASE("subword tokenizer: names of special pieces are learned from as any text") {
  // Nowhere else in the text are these characters.
  for (const char* const name : {"<unk>", "</s>", "<s>", "<pad>", "＜ｕｎｋ＞"}) {
    Lines lines = small_text();
    for (int i = 0; i < 200; ++i) lines.push_back("neu " + std::string(name) + " sieht x" + name);
    for (const std::string& config : {kBpe, kUnigram}) {
      CAPTURE(config);
      const auto tokenizer = trained(config, lines);
      const auto loaded = load_tokenizer(tokenizer->serialised(), "t");
      const std::string ascii = name[0] == '<' ? name : "<unk>";
      for (const std::string text : {"neu # sieht", "#", "die#Bäckerin", "##", "# #"}) {
        std::string with_name = text;
        for (std::size_t at = 0; (at = with_name.find('#')) != std::string::npos;) {
          with_name.replace(at, 1, ascii);
        }
        CHECK(there_and_back(*tokenizer, with_name) == with_name);
        CHECK(there_and_back(*loaded, with_name) == with_name);
      }
    }
  }
}

TEST_CASE("subword tokenizer: special pieces have SentencePiece's names") {
  for (const std::string& config : {kBpe, kUnigram}) {
    const std::string bytes = trained(config, small_text())->serialised();
    sentencepiece::SentencePieceProcessor theirs;
    REQUIRE(theirs.LoadFromSerializedProto(model_in(bytes)).ok());
    CHECK(theirs.IdToPiece(0) == "</s>");
    CHECK(theirs.IdToPiece(1) == "<unk>");
    CHECK(bytes.find("\u2585") == bytes.npos);
  }
}

TEST_CASE("subword tokenizer: a vocabulary that the text does not support") {
  const Lines lines = small_text();
  const auto refusal = [&](const std::string& model, int size) {
    const std::string config = R"({"type": "subword", "model": ")" + model +
                               R"(", "vocab_size": )" + std::to_string(size) + "}";
    try {
      const auto tokenizer = trained(config, lines);
      CHECK(tokenizer->vocabulary().size == size);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const char* model : {"bpe", "unigram"}) {
    CAPTURE(std::string(model));
    const std::string large = refusal(model, 5000), small = refusal(model, 20);
    const std::string most =
        "tokenizer.vocab_size: 5000 is more than this text supports; "
        "the largest possible vocab_size is ";
    const std::string least =
        "tokenizer.vocab_size: 20 has no room for the characters of this "
        "text; the smallest possible vocab_size is ";
    REQUIRE_MESSAGE(large.starts_with(most), large);
    REQUIRE_MESSAGE(small.starts_with(least), small);
    const int largest = std::stoi(large.substr(most.size()));
    const int smallest = std::stoi(small.substr(least.size()));
    CHECK(refusal(model, largest) == "");
    CHECK(refusal(model, largest + 1) != "");
    CHECK(refusal(model, smallest) == "");
    CHECK(refusal(model, smallest - 1) != "");
  }
}

TEST_CASE("subword tokenizer: text with nothing to learn is an error, not the end") {
  for (const std::string& config : {kBpe, kUnigram}) {
    CAPTURE(config);
    for (const Lines& lines :
         {Lines{}, Lines{"", " ", "\t"}, Lines{"\x01\x02", "\u00A0"}, Lines{"▅", "▅ ▅"}}) {
      CHECK_MESSAGE_THROWN(trained(config, lines),
                           "tokenizer: the text holds no words to train a tokenizer on");
    }
    CHECK_MESSAGE_THROWN(trained(config, {"a"}), "the largest possible vocab_size is");
    CHECK_MESSAGE_THROWN(trained(config, {"</s>", "</s>▅"}), "the largest possible vocab_size is");
    CHECK_MESSAGE_THROWN(trained(config, {"漢"}), "the largest possible vocab_size is");
    CHECK_MESSAGE_THROWN(trained(config, hostile_lines()), "vocab_size");
  }
}

TEST_CASE("subword tokenizer: long lines are learned from, part by part") {
  std::string line;
  for (const std::string& part : small_text()) line.append(line.empty() ? "" : " ").append(part);
  REQUIRE(line.size() > 4192);  // where SentencePiece stops reading
  const auto tokenizer = trained(kBpe, {line});
  CHECK(there_and_back(*tokenizer, line) == line);

  std::string without_blanks = "x";
  while (without_blanks.size() < 20'000) without_blanks += "漢字かな";
  const auto other = trained(
      R"({"type": "subword", "vocab_size": 12, "normalisation": "identity"})", {without_blanks});
  CHECK(there_and_back(*other, without_blanks) == without_blanks);
  CHECK(there_and_back(*other, "x\uFFFD") == "x⁇");  // no character was cut in two
}

TEST_CASE("subword tokenizer: a line of any length is cut, in parts that fit together") {
  std::string words, letters;
  while (words.size() < 600'000) words += "die Bäckerin sieht ";
  while (letters.size() < 2'000'000) letters += "äß";
  for (const std::string& model : {kBpe, kUnigram}) {
    std::string config = model;
    config.insert(1, R"("sample": 0.1, )");
    const auto tokenizer = trained(config, small_text());
    const Ids once = encoded(*tokenizer, "die Bäckerin sieht ");
    Ids expected;
    for (std::size_t i = 0; i < words.size() / std::string("die Bäckerin sieht ").size(); ++i) {
      expected.insert(expected.end(), once.begin(), once.end());
    }
    CHECK(encoded(*tokenizer, words) == expected);
    CHECK(there_and_back(*tokenizer, words) == words.substr(0, words.size() - 1));
    for (const Ids& ids : {encoded(*tokenizer, letters), sampled(*tokenizer, letters, 1)}) {
      std::string text = tokenizer->decode(ids);
      std::erase(text, ' ');  // a part begins as a word does
      CHECK(text == letters);
    }
  }
}

TEST_CASE("subword tokenizer: long runs of unknown characters give SentencePiece's ids") {
  const std::string jamo = "\u1112\u1161\u11AB", control = "漢\x01";
  for (const char* normalisation : {"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "identity"}) {
    for (const char* model : {"bpe", "unigram"}) {
      const auto tokenizer =
          trained(R"({"type": "subword", "vocab_size": 100, "model": ")" + std::string(model) +
                      R"(", "normalisation": ")" + normalisation + "\"}",
                  small_text());
      const std::string bytes = tokenizer->serialised();
      sentencepiece::SentencePieceProcessor theirs;
      REQUIRE(theirs.LoadFromSerializedProto(model_in(bytes)).ok());
      for (const std::string& unknown :
           {std::string("漢"), std::string("Ｗ"), std::string("\u0301"), jamo, control,
            std::string("\U0010FFFD"), std::string("ж☃"), std::string("\uFDFA")}) {
        CAPTURE(unknown);
        std::string run;
        while (run.size() < 1500) run += unknown;
        for (const std::string& text :
             {run, "Käse" + run + "markt " + run, run + " e" + run + "\u0301x " + run + " " + run,
              "die " + run + "\u1161 \uFDFA" + run}) {
          Ids whole, ids;
          REQUIRE(theirs.Encode(text, &whole).ok());
          CHECK(encoded(*tokenizer, text) == whole);
          std::vector<std::size_t> ends;
          tokenizer->encode_with_ends(text, ids, ends);
          CHECK(ids == whole);
          CHECK(std::ranges::is_sorted(ends));
          CHECK((ends.empty() || ends.back() <= text.size()));
          CHECK((ends.empty() || text.size() - ends.back() < 10));
        }
      }
    }
  }
}

TEST_CASE("subword tokenizer: the time for a line grows as its length, whatever is in it") {
  std::string text;
  while (text.size() < 4'000'000) text += "漢";
  for (const std::string& model : {kBpe, kUnigram}) {
    std::string config = model;
    config.insert(1, R"("sample": 0.1, )");
    const auto tokenizer = trained(config, small_text());
    const auto begin = std::chrono::steady_clock::now();
    CHECK(encoded(*tokenizer, text).size() < 100);
    CHECK(sampled(*tokenizer, text, 1).size() < 100);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    CHECK(seconds.count() < 10.0);  // of the order of a minute where it grows with the square
  }
}

}  // namespace
}  // namespace heddle::testing
