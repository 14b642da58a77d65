#include "data/toy/corpus.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <unordered_map>
#include <unordered_set>

#include "autograd/base/check.h"
#include "data/toy/sampler.h"

namespace heddle::toy {

namespace {

// The first part of the sequence of sentences is what training chooses from; validation and test
// come from the rest, so that all three look alike.
constexpr std::uint64_t kTrainCandidates = 120000;
constexpr std::uint64_t kOtherCandidates = 20000;

bool any_of(const Pair& pair, const std::set<std::string>& combinations) {
  return std::ranges::any_of(pair.combinations, [&](const std::string& combination) {
    return combinations.contains(combination);
  });
}

bool all_of(const Pair& pair, const std::set<std::string>& combinations) {
  return std::ranges::all_of(pair.combinations, [&](const std::string& combination) {
    return combinations.contains(combination);
  });
}

std::size_t blanks_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, ' '));
}

/// Sentences by number, without those that are too short, too long or were there before.
class Candidates {
 public:
  explicit Candidates(std::uint64_t seed) : seed_(seed) {}

  std::vector<Pair> next(std::uint64_t count) {
    std::vector<Pair> pairs;
    for (const std::uint64_t end = index_ + count; index_ < end; ++index_) {
      const Sentence sentence = sample_sentence(seed_, index_);
      Pair pair{english(sentence), french(sentence), combinations_of(sentence)};
      const std::size_t words = blanks_in(pair.source) + 1;
      const bool too_long = std::max(words, blanks_in(pair.target) + 1) > kMaximumWords;
      if (words < kMinimumWords || too_long || !known_.insert(pair.source).second) continue;
      pairs.push_back(std::move(pair));
    }
    return pairs;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
  std::unordered_set<std::string> known_;
};

std::vector<std::string> words_of_both(const Pair& pair) {
  std::vector<std::string> words;
  // The same spelling in the two languages is two words.
  for (const std::string& word : words_of(pair.source)) words.push_back("en " + word);
  for (const std::string& word : words_of(pair.target)) words.push_back("fr " + word);
  return words;
}

/// First the sentences with word forms that are still rare among those chosen, the more the sooner,
/// then the others in order until there are enough; in the order of the candidates.
std::vector<Pair> choose_training(const std::vector<Pair>& candidates) {
  std::unordered_map<std::string, int> occurrences;
  std::vector<char> chosen(candidates.size(), 0);
  std::size_t count = 0;
  for (const std::ptrdiff_t least_rare : {4, 3, 2, 1, 0}) {
    for (std::size_t i = 0; i < candidates.size() && count < kTrainPairs; ++i) {
      if (chosen[i] != 0) continue;
      const std::vector<std::string> words = words_of_both(candidates[i]);
      const auto rare = std::ranges::count_if(
          words, [&](const std::string& word) { return occurrences[word] < kMinimumOccurrences; });
      if (rare < least_rare) continue;
      for (const std::string& word : words) ++occurrences[word];
      chosen[i] = 1;
      ++count;
    }
  }
  std::vector<Pair> training;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (chosen[i] != 0) training.push_back(candidates[i]);
  }
  return training;
}

void check_size(const char* split, std::size_t found, std::size_t wanted) {
  check(found == wanted, "toy corpus: ", found, " sentences for ", split, " instead of ", wanted,
        "; draw more candidates");
}

/// Moves pairs to their splits, each as soon as it fits one that is not full.
void fill_other_splits(Corpus& corpus, std::vector<Pair> pairs,
                       const std::set<std::string>& held_out) {
  std::set<std::string> trained;
  for (const Pair& pair : corpus.train) {
    trained.insert(pair.combinations.begin(), pair.combinations.end());
  }
  for (Pair& pair : pairs) {
    if (any_of(pair, held_out)) {
      if (corpus.unseen.size() < kTestPairs / 2) corpus.unseen.push_back(std::move(pair));
    } else if (corpus.valid.size() < kValidPairs) {
      corpus.valid.push_back(std::move(pair));
    } else if (corpus.seen.size() < kTestPairs / 2 && all_of(pair, trained)) {
      corpus.seen.push_back(std::move(pair));
    }
  }
}

void add_split(std::map<std::string, std::string>& files, const std::string& name,
               const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    files[name + ".en"] += pair.source + '\n';
    files[name + ".fr"] += pair.target + '\n';
  }
}

}  // namespace

Corpus make_corpus(std::uint64_t seed) {
  const std::set<std::string> held_out = held_out_combinations(seed);
  Candidates sentences(seed);
  std::vector<Pair> candidates = sentences.next(kTrainCandidates);
  std::erase_if(candidates, [&](const Pair& pair) { return any_of(pair, held_out); });
  Corpus corpus;
  corpus.train = choose_training(candidates);
  fill_other_splits(corpus, sentences.next(kOtherCandidates), held_out);
  check_size("training", corpus.train.size(), kTrainPairs);
  check_size("validation", corpus.valid.size(), kValidPairs);
  check_size("the seen half of the test", corpus.seen.size(), kTestPairs / 2);
  check_size("the unseen half of the test", corpus.unseen.size(), kTestPairs / 2);
  return corpus;
}

std::vector<std::string> words_of(std::string_view sentence) {
  std::vector<std::string> words(1);
  for (const char character : sentence) {
    if (character == '.') continue;
    if (character == ' ') {
      words.emplace_back();
      continue;
    }
    words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    if (character == '\'') words.emplace_back();
  }
  return words;
}

std::map<std::string, std::string> files_of(const Corpus& corpus) {
  std::map<std::string, std::string> files;
  add_split(files, "train", corpus.train);
  add_split(files, "valid", corpus.valid);
  for (std::size_t i = 0; i < corpus.seen.size(); ++i) {
    add_split(files, "test", {corpus.seen[i], corpus.unseen[i]});
    files["test.kind"] += "seen\nunseen\n";
  }
  return files;
}

void write_files(const std::map<std::string, std::string>& files,
                 const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check<FileError>(!error, folder.string(), ": cannot make this folder: ", error.message());
  for (const auto& [name, text] : files) {
    std::ofstream file(folder / name, std::ios::binary);
    file << text << std::flush;
    check<FileError>(file.good(), (folder / name).string(), ": cannot be written");
  }
}

}  // namespace heddle::toy
