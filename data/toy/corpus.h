// The toy corpus: 8,000 training, 500 validation and 500 test pairs from one seed.
//
// Some combinations of two words (an adjective with a noun, a verb with its object) are held out:
// training and validation have none of them. Half of the test sentences contain at least one
// ("unseen"), half consist of combinations that training has ("seen").
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/toy/grammar.h"

namespace heddle::toy {

inline constexpr std::uint64_t kSeed = 1;  // of the committed files
inline constexpr std::size_t kTrainPairs = 8000, kValidPairs = 500, kTestPairs = 500;
inline constexpr std::size_t kMinimumWords = 4, kMaximumWords = 12;
/// Every word form of the corpus occurs at least so often in training, in both languages.
inline constexpr int kMinimumOccurrences = 25;

/// Pairs of words that have a meaning together: "red car" (also for "the car is red"), "see car"
/// and "see him" for objects and complements, "give to queen" for recipients, "dog: sleep" for
/// subjects.
std::vector<std::string> combinations_of(const Sentence& sentence);

/// All combinations of an adjective with a noun and of a verb with an object that sentences may
/// have, in a fixed order.
std::vector<std::string> possible_combinations();

/// About one in twelve of the possible combinations, chosen by the seed.
std::set<std::string> held_out_combinations(std::uint64_t seed);

struct Pair {
  std::string source, target;
  std::vector<std::string> combinations;
};

struct Corpus {
  std::vector<Pair> train, valid;
  std::vector<Pair> seen, unseen;  // the two halves of the test split
};

Corpus make_corpus(std::uint64_t seed);

/// Lower-case words without the full stop; an elided word is one of its own: l'homme, l' homme.
std::vector<std::string> words_of(std::string_view sentence);

/// File names and their contents: train.en, train.fr, ..., test.kind.
std::map<std::string, std::string> files_of(const Corpus& corpus);

/// Throws FileError where a file cannot be written.
void write_files(const std::map<std::string, std::string>& files,
                 const std::filesystem::path& folder);

}  // namespace heddle::toy
