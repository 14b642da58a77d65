// The toy corpus: the committed files are what the generator writes, the splits are what they claim
// to be, and the task needs more than a dictionary or a memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/toy/corpus.h"
#include "data/toy/sampler.h"
#include "tests/support/documents.h"
#include "tests/support/temporary_folder.h"

using namespace heddle::toy;
using heddle::testing::contents;
using heddle::testing::failure;
using heddle::testing::read_bytes;
using heddle::testing::TemporaryFolder;

namespace {

using Counts = std::unordered_map<std::string, int>;
using Sentences = std::vector<std::vector<std::string>>;

const Corpus& corpus() {
  static const Corpus corpus = make_corpus(kSeed);
  return corpus;
}

std::vector<Pair> test_pairs() {
  std::vector<Pair> pairs = corpus().seen;
  pairs.insert(pairs.end(), corpus().unseen.begin(), corpus().unseen.end());
  return pairs;
}

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs = test_pairs();
  for (const auto* const split : {&corpus().train, &corpus().valid}) {
    pairs.insert(pairs.end(), split->begin(), split->end());
  }
  return pairs;
}

std::set<std::string> combinations(const std::vector<Pair>& pairs) {
  std::set<std::string> all;
  for (const Pair& pair : pairs) all.insert(pair.combinations.begin(), pair.combinations.end());
  return all;
}

Sentences words(const std::vector<Pair>& pairs, std::string Pair::*side) {
  Sentences sentences;
  for (const Pair& pair : pairs) sentences.push_back(words_of(pair.*side));
  return sentences;
}

Counts count(const Sentences& sentences) {
  Counts counts;
  for (const auto& sentence : sentences) {
    for (const std::string& word : sentence) ++counts[word];
  }
  return counts;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("toy corpus: the generator writes the committed files, byte for byte") {
  const TemporaryFolder folder;
  write_files(files_of(corpus()), folder / "toy");
  std::size_t files = 0;
  for (const char* const name :
       {"train.en", "train.fr", "valid.en", "valid.fr", "test.en", "test.fr", "test.kind"}) {
    CAPTURE(name);
    const std::string committed = contents(std::string("data/toy/") + name);
    CHECK(read_bytes(folder / "toy" / name) == committed);
    const std::size_t wanted = std::string(name).starts_with("train") ? 8000 : 500;
    CHECK(lines(committed) == wanted);
    ++files;
  }
  CHECK(files_of(corpus()).size() == files);
  CHECK(english(sample_sentence(kSeed, 0)) != english(sample_sentence(kSeed + 1, 0)));
  CHECK(held_out_combinations(kSeed) != held_out_combinations(kSeed + 1));
}

TEST_CASE("toy corpus: test.kind says for each test sentence which half it is of") {
  const auto files = files_of(corpus());
  std::string kinds, sources;
  for (std::size_t i = 0; i < corpus().seen.size(); ++i) {
    kinds += "seen\nunseen\n";
    sources += corpus().seen[i].source + "\n" + corpus().unseen[i].source + "\n";
  }
  CHECK(files.at("test.kind") == kinds);
  CHECK(files.at("test.en") == sources);
}

TEST_CASE("toy corpus: no sentence is in two splits, or twice in one") {
  std::set<std::string> sources;
  for (const Pair& pair : all_pairs())
    CHECK_MESSAGE(sources.insert(pair.source).second, pair.source);
  CHECK(sources.size() == 9000);
}

TEST_CASE("toy corpus: sentences have 4 to 12 words, and the alphabets of their languages") {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz";
  const std::set<std::string> accents = {"à", "ç", "é", "è", "ê", "â", "ô", "œ"};
  for (const Pair& pair : all_pairs()) {
    CAPTURE(pair.source);
    CAPTURE(pair.target);
    const auto blanks = std::ranges::count(pair.source, ' ');
    CHECK(blanks >= 3);
    CHECK(blanks <= 11);
    CHECK(pair.source.ends_with('.'));
    CHECK(pair.target.ends_with('.'));
    CHECK(pair.source.find_first_of("'\n") == std::string::npos);
    for (const std::string& word : words_of(pair.source)) {
      CHECK(word.find_first_not_of(letters) == std::string::npos);
    }
    for (std::string word : words_of(pair.target)) {
      for (const std::string& accent : accents) {
        for (auto at = word.find(accent); at != word.npos; at = word.find(accent)) {
          word.erase(at, accent.size());
        }
      }
      CHECK(word.find_first_not_of(letters + "'") == std::string::npos);
    }
  }
}

TEST_CASE("toy corpus: the source determines the target") {
  std::unordered_map<std::string, std::string> targets;
  int repeated = 0;
  for (std::uint64_t i = 0; i < 60000; ++i) {
    const Sentence sentence = sample_sentence(kSeed, i);
    const std::string source = english(sentence), target = french(sentence);
    const auto known = targets.emplace(source, target);
    if (!known.second) ++repeated;
    CHECK_MESSAGE(known.first->second == target, source);
  }
  CHECK(repeated > 1000);  // the question did arise
}

TEST_CASE("toy corpus: seen is seen and unseen unseen") {
  const std::set<std::string> trained = combinations(corpus().train);
  std::set<std::string> known = combinations(corpus().valid);
  known.insert(trained.begin(), trained.end());
  for (const Pair& pair : corpus().seen) {
    for (const std::string& combination : pair.combinations) {
      CHECK_MESSAGE(trained.contains(combination), pair.source << " | " << combination);
    }
  }
  const auto possible = possible_combinations();
  const std::set<std::string> held_out = held_out_combinations(kSeed);
  for (const Pair& pair : corpus().unseen) {
    const bool unseen = std::ranges::any_of(pair.combinations, [&](const std::string& combination) {
      // Adjective and noun or verb and object: a new subject alone does not count.
      return !known.contains(combination) && std::ranges::count(possible, combination) == 1;
    });
    CHECK_MESSAGE(unseen, pair.source);
  }
  for (const std::string& combination : held_out) {
    CHECK_MESSAGE(!known.contains(combination), combination);
  }
  CHECK(held_out.size() > possible.size() / 20);
  CHECK(held_out.size() < possible.size() / 6);
}

TEST_CASE("toy corpus: training has every word form often, rare irregular ones too") {
  for (std::string Pair::*const side : {&Pair::source, &Pair::target}) {
    const Counts trained = count(words(corpus().train, side));
    for (const auto& entry : trained) {
      CHECK_MESSAGE(entry.second >= kMinimumOccurrences, entry.first << ": " << entry.second);
    }
    for (const auto& entry : count(words(all_pairs(), side))) {
      CHECK_MESSAGE(trained.contains(entry.first), entry.first);
    }
    CHECK(trained.size() > (side == &Pair::source ? 250 : 500));
  }
}

TEST_CASE("toy corpus: a folder that cannot be written is named") {
  CHECK(failure([] {
          write_files({{"a", "b"}}, "/dev/null/toy");
        }).starts_with("/dev/null/toy: cannot make this folder: "));
}
