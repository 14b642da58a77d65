// What is said about a corpus that was surely not meant so.
#include "data/corpus_warnings.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/data/corpus_samples.h"
#include "tests/data/tokenizers.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using Sentences = std::vector<std::string>;

Sentences warnings_of(const CorpusSample& sample) {
  return corpus_warnings(sample.corpus, sample.open().cache.report());
}

std::string times(int count, const std::string& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text.append(line).append("\n");
  return text;
}

TEST_CASE("corpus warnings: none for text as it should be") {
  CHECK(warnings_of(CorpusSample(500)).empty());
  CHECK(CorpusSample(500).open().cache.report().message() == "500 pairs, 500 kept");
  // Little of everything is usual.
  CHECK(warnings_of(CorpusSample(times(99, "1 2") + "\n", times(99, "3 4") + "5\n")).empty());
  CHECK(
      warnings_of(CorpusSample(times(99, "1 2") + "1\t?\n", times(99, "3 4") + "1\t?\n")).empty());
}

TEST_CASE("corpus warnings: unknown tokens by side, from the first line with one") {
  const CorpusSample sample(times(10, "1 2"), times(3, "3 4") + times(7, "? 5 ? 6"));
  const CorpusReport report = sample.open().cache.report();
  CHECK(report.source_unknown() == 0.0);
  CHECK(report.target_unknown() == doctest::Approx(100.0 * 14 / 34));
  CHECK(report.message() ==
        "10 pairs, 10 kept; unknown tokens: 0.0 % of the source, 41.2 % of the target");
  const std::string file = sample.corpus.target.file.string();
  CHECK(warnings_of(sample) ==
        Sentences{"41.2 % of the tokens of " + file +
                  " are unknown to the vocabulary (first: line 4); raise "
                  "data.tokenizer.vocab_size or lower min_count, or choose the type subword, "
                  "character or byte"});
  CHECK(sample.open().reused);
  CHECK(sample.open().cache.report() == report);
  const Sentences both = warnings_of(CorpusSample(times(9, "?"), times(9, "200")));
  REQUIRE(both.size() == 2);
  CHECK(contains(both[0], "100.0 % of the tokens of "));
  CHECK(contains(both[0], "a.en"));
  CHECK(contains(both[1], "a.fr"));
}

TEST_CASE("corpus warnings: filters that leave out much say what would keep nearly all") {
  std::string source, target;
  for (int i = 1; i <= 100; ++i) {
    for (int k = 0; k < i; ++k) source += "7 ";
    source += "\n";
    target += "8\n";
  }
  CorpusSample sample(source, target);
  sample.corpus.limits.max_length = 20;
  CHECK(warnings_of(sample) ==
        Sentences{"81.0 % of the pairs are left out, with a side longer than data.max_length (20) "
                  "(first: line 20); 100 would keep 99 % of them"});
  sample.corpus.limits.max_length = 100;
  CHECK(warnings_of(sample).empty());
  sample.corpus.limits.max_source_tokens = 50;
  CHECK(warnings_of(sample) ==
        Sentences{"50.0 % of the pairs are left out, with a source longer than "
                  "train.max_source_tokens (50) (first: line 50); 100 would keep 99 % of them"});
  CHECK(warnings_of(CorpusSample("1\n\n\n", "2\n3\n4\n")) ==
        Sentences{"66.7 % of the pairs are left out, with an empty side (first: line 2)"});
}

TEST_CASE("corpus: a line of white space is an empty side, whatever the tokenizer makes of it") {
  class Characters final : public NumberTokenizer {
   public:
    void encode(std::string_view text, std::vector<std::int32_t>& ids) const override {
      ids.resize(ids.size() + text.size(), 5);
    }
  };
  const Characters characters;
  CorpusSample sample("1\n \n\t\u00A0\u3000\n4\n", "1\n2\n3\n \n");
  sample.corpus.source.tokenizer = sample.corpus.target.tokenizer = &characters;
  CHECK(sample.open().cache.report().message() ==
        "4 pairs, 1 kept; left out: 3 with an empty side");
}

TEST_CASE("corpus warnings: tables and the same text twice") {
  const CorpusSample table(times(8, "1\t2"), times(8, "2"));
  CHECK(warnings_of(table) ==
        Sentences{"100.0 % of the lines of " + table.corpus.source.file.string() +
                  " hold tabs (first: line 1): if it is a table, extract a column for each side, "
                  "for example with cut -f1"});
  const CorpusSample twice(times(3, "1") + times(5, "3\t4"), times(3, "2") + times(5, "3\t4"));
  const Sentences all = warnings_of(twice);
  REQUIRE(all.size() == 3);
  CHECK(contains(all[0], "a.en hold tabs (first: line 4)"));
  CHECK(contains(all[1], "a.fr hold tabs (first: line 4)"));
  CHECK(all[2] == "62.5 % of the pairs have the same text on both sides (first: line 4): is " +
                      twice.corpus.target.file.string() + " the translation of " +
                      twice.corpus.source.file.string() + "?");
}

TEST_CASE("corpus warnings: a validation text that is that of the training") {
  const auto report = [](const std::string& source, const std::string& target) {
    return CorpusSample(source, target).open().cache.report();
  };
  const std::string a = "1 2\n3\n", b = "4\n5 6\n", c = "7\n8\n", d = "9\n1\n";
  const CorpusReport training = report(a, b);
  const auto warnings = [&](const std::string& source, const std::string& target) {
    return validation_warnings({"v.en", "v.fr"}, report(source, target), training);
  };
  CHECK(warnings(c, d).empty());
  CHECK(warnings(a, b) == Sentences{"v.en and v.fr hold the training text, from line 1 on: "
                                    "validation on it does not show how the model does on new "
                                    "text"});
  CHECK(warnings(b, a) == Sentences{"v.en and v.fr hold the training text with its sides "
                                    "exchanged, from line 1 on"});
  CHECK(warnings(a, d) ==
        Sentences{"v.en or v.fr is the same text as in training, from line 1 on"});
  CHECK(warnings("1 2\r\n3", b).size() == 1);  // the same lines
  CHECK(warnings("1 2 3\n", "4\n").empty());
}

TEST_CASE("corpus warnings: targets that the tokenizer normalises") {
  const auto warning = [](const std::string& tokenizer, const std::string& targets) {
    const auto trained_one = trained(tokenizer, small_text());
    CorpusSample sample(times(static_cast<int>(std::ranges::count(targets, '\n')), "die"), targets);
    sample.corpus.source.tokenizer = sample.corpus.target.tokenizer = trained_one.get();
    const TokenCache cache = sample.open().cache;
    return normalisation_warning(*trained_one, PairSet(cache)).value_or("");
  };
  const std::string plain =
      R"({"type": "subword", "vocab_size": 120, "normalisation": "identity"})";
  const std::string nfkc = R"({"type": "subword", "vocab_size": 120})";
  const std::string text = "die\n ｄｉｅ\n  die \ndie die\nｄie\n";
  CHECK(warning(nfkc, text) ==
        "2 of 5 target lines change under the tokenizer's normalisation (first: line 2), but exact "
        "match, BLEU and chrF compare with the text as it is; normalise the text, or set "
        "data.tokenizer.normalisation to identity");
  CHECK(warning(nfkc, "die\n die \nder\n") == "");
  CHECK(warning(plain, text) == "");
  CHECK(warning(R"({"type": "byte"})", text) == "");
  CHECK(warning(nfkc, times(300, "die") + "ｄｉｅ\n") == "");
}

}  // namespace
}  // namespace heddle::testing
