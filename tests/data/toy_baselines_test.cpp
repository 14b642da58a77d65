// What cannot translate the toy corpus: a dictionary, word by word, and a memory of the training
// sentences. Both are computed as well as they can be: case and elision cost them nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/toy/corpus.h"

using namespace heddle::toy;

namespace {

using WordIds = std::vector<std::size_t>;

class Vocabulary {
 public:
  WordIds ids_of(const std::string& sentence) {
    WordIds ids;
    for (const std::string& word : words_of(sentence)) {
      ids.push_back(ids_.emplace(word, ids_.size()).first->second);
    }
    return ids;
  }
  std::size_t size() const { return ids_.size(); }

 private:
  std::unordered_map<std::string, std::size_t> ids_;
};

struct IdPair {
  WordIds source, target;
};

struct Task {
  Vocabulary english, french;
  std::vector<IdPair> train, test;

  explicit Task(const heddle::toy::Corpus& corpus) {
    add(train, corpus.train);
    add(test, corpus.seen);
    add(test, corpus.unseen);
  }

 private:
  void add(std::vector<IdPair>& to, const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
      to.push_back({english.ids_of(pair.source), french.ids_of(pair.target)});
    }
  }
};

/// The likeliest French word for each English one: five rounds of expectation maximisation of IBM
/// Model 1 (Brown et al. 1993).
WordIds dictionary(const Task& task) {
  const std::size_t columns = task.french.size();
  std::vector<double> likely(task.english.size() * columns, 1.0);
  for (int round = 0; round < 5; ++round) {
    std::vector<double> counts(likely.size(), 0.0), totals(task.english.size(), 0.0);
    for (const IdPair& pair : task.train) {
      for (const std::size_t f : pair.target) {
        double sum = 0.0;
        for (const std::size_t e : pair.source) sum += likely[e * columns + f];
        for (const std::size_t e : pair.source) {
          const double share = likely[e * columns + f] / sum;
          counts[e * columns + f] += share;
          totals[e] += share;
        }
      }
    }
    for (std::size_t i = 0; i < likely.size(); ++i) likely[i] = counts[i] / totals[i / columns];
  }
  WordIds best;
  for (std::size_t e = 0; e < task.english.size(); ++e) {
    const auto row = likely.begin() + static_cast<std::ptrdiff_t>(e * columns);
    const auto end = row + static_cast<std::ptrdiff_t>(columns);
    best.push_back(static_cast<std::size_t>(std::max_element(row, end) - row));
  }
  return best;
}

WordIds word_by_word(const WordIds& source, const WordIds& dictionary) {
  WordIds target;
  for (const std::size_t word : source) target.push_back(dictionary[word]);
  return target;
}

/// Insertions, deletions and substitutions of words that turn one sentence into the other.
std::size_t edit_distance(const WordIds& a, const WordIds& b) {
  WordIds row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

const IdPair& nearest(const std::vector<IdPair>& train, const WordIds& source) {
  const IdPair* best = nullptr;
  std::size_t least = 0;
  for (const IdPair& pair : train) {
    const std::size_t a = pair.source.size(), b = source.size();
    const bool too_far = std::max(a, b) - std::min(a, b) >= least;
    if (best != nullptr && too_far) continue;
    const std::size_t distance = edit_distance(pair.source, source);
    if (best != nullptr && distance >= least) continue;
    best = &pair;
    least = distance;
  }
  return *best;
}

/// The translation of the neighbour, with the dictionary's words where the sources differ.
WordIds patched(const IdPair& neighbour, const WordIds& source, const WordIds& dictionary) {
  WordIds target = neighbour.target;
  const std::size_t words = std::min(source.size(), neighbour.source.size());
  for (std::size_t i = 0; i < words; ++i) {
    if (source[i] == neighbour.source[i]) continue;
    const auto old = std::ranges::find(target, dictionary[neighbour.source[i]]);
    if (old != target.end()) *old = dictionary[source[i]];
  }
  return target;
}

}  // namespace

TEST_CASE("toy corpus: neither a dictionary nor a memory translates it") {
  const Task task(make_corpus(kSeed));
  const WordIds translation = dictionary(task);
  double by_word = 0.0, by_neighbour = 0.0, by_patch = 0.0, words = 0.0, right_words = 0.0;
  for (const IdPair& pair : task.test) {
    const WordIds guess = word_by_word(pair.source, translation);
    by_word += guess == pair.target ? 1.0 : 0.0;
    const IdPair& neighbour = nearest(task.train, pair.source);
    by_neighbour += neighbour.target == pair.target ? 1.0 : 0.0;
    by_patch += patched(neighbour, pair.source, translation) == pair.target ? 1.0 : 0.0;
    for (const std::size_t word : guess) {
      right_words += std::ranges::count(pair.target, word) > 0 ? 1.0 : 0.0;
    }
    words += static_cast<double>(guess.size());
  }
  const auto tests = static_cast<double>(task.test.size());
  MESSAGE("exact match: dictionary " << 100 * by_word / tests << " %, nearest sentence "
                                     << 100 * by_neighbour / tests << " %, patched "
                                     << 100 * by_patch / tests << " %");
  CHECK(by_word / tests < 0.10);
  CHECK(by_neighbour / tests < 0.30);
  CHECK(by_patch / tests < 0.30);
  CHECK(right_words / words > 0.5);  // the dictionary is a good one
  CHECK(by_patch > by_neighbour);    // and the neighbours are near
}
