// Which words of a sentence stand together, and which of these pairs training must not see.
#include <array>

#include "data/toy/corpus.h"
#include "data/toy/sampler.h"

namespace heddle::toy {

namespace {

constexpr std::uint32_t kHoldOut = 2;  // purpose of the numbers drawn here
constexpr std::size_t kHeldOutPercent = 8;
constexpr std::array<std::string_view, 6> kPronouns = {"me", "you", "him", "her", "us", "them"};

std::string together(std::string_view first, std::string_view between, std::string_view second) {
  std::string text(first);
  text += between;
  text += second;
  return text;
}

/// The English word that stands for a phrase; it and them are one.
std::string_view head_of(const NounPhrase& phrase) {
  if (phrase.form == NounPhrase::Form::kName) return phrase.name->spelling;
  if (phrase.form == NounPhrase::Form::kNoun) return phrase.noun->english;
  if (phrase.pronoun == Pronoun::kIt) return "it";
  return kPronouns[static_cast<std::size_t>(phrase.pronoun)];
}

class Collector {
 public:
  std::vector<std::string> take() { return std::move(found_); }

  void clause(const Clause& clause) {
    if (clause.gap != Gap::kSubject) phrase(clause.subject);
    const bool pronoun = clause.subject.form == NounPhrase::Form::kPronoun;
    if (clause.verb == nullptr) {
      const bool noun = clause.subject.form == NounPhrase::Form::kNoun;
      if (noun) found_.push_back(together(clause.adjective->english, " ", head_of(clause.subject)));
      return;
    }
    if (!pronoun) found_.push_back(together(head_of(clause.subject), ": ", clause.verb->base));
    predicate(clause);
  }

  void predicate(const Clause& clause) {
    const std::string_view base = clause.verb->base;
    if (clause.object) {
      found_.push_back(together(base, " ", head_of(*clause.object)));
      if (clause.gap != Gap::kObject) phrase(*clause.object);
    }
    if (clause.complement) {
      const bool recipient = clause.verb->frame == Frame::kGive;
      found_.push_back(together(base, recipient ? " to " : " ", head_of(*clause.complement)));
      phrase(*clause.complement);
    }
    if (clause.location) phrase(clause.location->place);
  }

 private:
  void phrase(const NounPhrase& phrase) {
    for (const Adjective* const adjective : {phrase.before, phrase.after}) {
      if (adjective != nullptr) {
        found_.push_back(together(adjective->english, " ", phrase.noun->english));
      }
    }
    if (phrase.owner != nullptr) this->phrase(*phrase.owner);
    if (phrase.relative != nullptr) clause(*phrase.relative);
  }

  std::vector<std::string> found_;
};

void add_objects(std::vector<std::string>& all, const Verb& verb) {
  for (const Noun& noun : nouns()) {
    if ((verb.objects & noun.kind) != 0) all.push_back(together(verb.base, " ", noun.english));
  }
}

void add_pronouns(std::vector<std::string>& all, const Verb& verb) {
  const bool gives = verb.frame == Frame::kGive;
  const bool direct = verb.frame == Frame::kDirect;
  if (gives || (direct && (verb.objects & kGoods) != 0)) {
    all.push_back(together(verb.base, " ", "it"));
  }
  if (!gives && (verb.objects & kPeople) == 0) return;
  for (const std::string_view pronoun : kPronouns) {
    if (direct && pronoun == "them") continue;  // nothing says its gender
    all.push_back(together(verb.base, gives ? " to " : " ", pronoun));
  }
}

}  // namespace

std::vector<std::string> combinations_of(const Sentence& sentence) {
  Collector collector;
  collector.clause(sentence.clause);
  if (sentence.second) collector.predicate(*sentence.second);
  return collector.take();
}

std::vector<std::string> possible_combinations() {
  std::vector<std::string> all;
  for (const Adjective& adjective : adjectives()) {
    for (const Noun& noun : nouns()) {
      const bool fits = (adjective.kinds & noun.kind) != 0;
      if (fits) all.push_back(together(adjective.english, " ", noun.english));
    }
  }
  for (const Verb& verb : verbs()) {
    add_objects(all, verb);
    add_pronouns(all, verb);
  }
  return all;
}

std::set<std::string> held_out_combinations(std::uint64_t seed) {
  std::set<std::string> held_out;
  std::uint64_t index = 0;
  for (const std::string& combination : possible_combinations()) {
    if (Draw(seed, kHoldOut, index++).percent(kHeldOutPercent)) held_out.insert(combination);
  }
  return held_out;
}

}  // namespace heddle::toy
