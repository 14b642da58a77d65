// English: one adjective position, the -s of the third person, "do" in denials, pronouns after the
// verb, a or an by the next word.
#include <array>
#include <initializer_list>

#include "data/toy/grammar.h"

namespace heddle::toy {

namespace {

using Words = std::vector<std::string>;

std::string_view determiner(const NounPhrase& phrase, bool denied) {
  constexpr std::string_view kSingular[] = {"the", "a",   "this", "my",   "your",
                                            "his", "her", "our",  "their"};
  if (phrase.plural && phrase.determiner == Determiner::kA) return denied ? "any" : "some";
  if (phrase.plural && phrase.determiner == Determiner::kThis) return "these";
  return kSingular[static_cast<std::size_t>(phrase.determiner)];
}

std::string_view pronoun(const NounPhrase& phrase, bool subject) {
  constexpr std::string_view kSubjects[] = {"I", "you", "he", "she", "we", "they", "it"};
  constexpr std::string_view kObjects[] = {"me", "you", "him", "her", "us", "them", "it"};
  if (phrase.pronoun == Pronoun::kIt && phrase.plural) return subject ? "they" : "them";
  return (subject ? kSubjects : kObjects)[static_cast<std::size_t>(phrase.pronoun)];
}

bool third_singular(const Features& subject) {
  return subject.person == 3 && !subject.plural;
}

void add_predicate(Words& words, const Clause& clause);
void add_clause(Words& words, const Clause& clause);

void add_noun(Words& words, const NounPhrase& phrase, bool denied) {
  words.emplace_back(determiner(phrase, denied));
  if (phrase.before != nullptr) words.emplace_back(phrase.before->english);
  if (phrase.after != nullptr) words.emplace_back(phrase.after->english);
  words.emplace_back(phrase.plural ? phrase.noun->english_plural : phrase.noun->english);
}

void add_relative(Words& words, const NounPhrase& antecedent, const Clause& clause) {
  const bool who = clause.gap == Gap::kSubject && (antecedent.noun->kind & kPeople) != 0;
  words.emplace_back(who ? "who" : "that");
  if (clause.gap == Gap::kSubject) {
    add_predicate(words, clause);
  } else {
    add_clause(words, clause);
  }
}

void add_phrase(Words& words, const NounPhrase& phrase, bool subject, bool denied = false) {
  if (phrase.form == NounPhrase::Form::kPronoun) {
    words.emplace_back(pronoun(phrase, subject));
  } else if (phrase.form == NounPhrase::Form::kName) {
    words.emplace_back(phrase.name->spelling);
  } else {
    add_noun(words, phrase, denied);
  }
  if (phrase.owner != nullptr) {
    words.emplace_back("of");
    add_phrase(words, *phrase.owner, false);
  }
  if (phrase.relative != nullptr) add_relative(words, phrase, *phrase.relative);
}

void add_adverb(Words& words, Adverb adverb) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kWords = {
      {{"", ""}, {"every", "day"}, {"yesterday", ""}, {"this", "morning"}, {"too", ""}}};
  for (const std::string_view word : kWords[static_cast<std::size_t>(adverb)]) {
    if (!word.empty()) words.emplace_back(word);
  }
}

void add_be(Words& words, const Clause& clause) {
  const Features subject = features_of(clause.subject);
  const bool first_singular = subject.person == 1 && !subject.plural;
  words.emplace_back(first_singular ? "am" : third_singular(subject) ? "is" : "are");
  if (clause.negated) words.emplace_back("not");
  words.emplace_back(clause.adjective->english);
  add_adverb(words, clause.adverb);
}

void add_verb(Words& words, const Clause& clause) {
  const bool with_s = third_singular(features_of(clause.subject));
  const bool past = clause.tense == Tense::kPast;
  if (clause.negated) {
    words.emplace_back(past ? "did" : with_s ? "does" : "do");
    words.emplace_back("not");
  }
  const std::string_view positive = past     ? clause.verb->past
                                    : with_s ? clause.verb->third
                                             : clause.verb->base;
  words.emplace_back(clause.negated ? clause.verb->base : positive);
}

/// "gives him a book", but "gives a book to the boy" and "gives it to him".
bool recipient_first(const Clause& clause) {
  return clause.verb->frame == Frame::kGive && clause.complement &&
         clause.complement->form == NounPhrase::Form::kPronoun;
}

void add_object(Words& words, const Clause& clause) {
  if (recipient_first(clause)) add_phrase(words, *clause.complement, false);
  if (clause.gap != Gap::kObject) {
    add_phrase(words, *clause.object, false, clause.negated);
  }
  if (clause.complement && !recipient_first(clause)) {
    words.emplace_back("to");
    add_phrase(words, *clause.complement, false);
  }
}

void add_location(Words& words, const Location& location) {
  constexpr std::string_view kWords[] = {"in", "near", "behind"};
  words.emplace_back(kWords[static_cast<std::size_t>(location.where)]);
  add_phrase(words, location.place, false);
}

void add_predicate(Words& words, const Clause& clause) {
  if (clause.verb == nullptr) {
    add_be(words, clause);
    return;
  }
  add_verb(words, clause);
  if (!clause.verb->particle.empty()) words.emplace_back(clause.verb->particle);
  if (clause.object) {
    add_object(words, clause);
  } else if (clause.complement) {
    add_phrase(words, *clause.complement, false);
  }
  if (clause.location) add_location(words, *clause.location);
  add_adverb(words, clause.adverb);
}

void add_clause(Words& words, const Clause& clause) {
  add_phrase(words, clause.subject, true);
  add_predicate(words, clause);
}

bool takes_an(std::string_view word) {
  if (word == "honest") return true;
  if (word == "useful") return false;
  return std::string_view("aeiou").find(word.front()) != std::string_view::npos;
}

}  // namespace

std::string english(const Sentence& sentence) {
  Words words;
  add_clause(words, sentence.clause);
  if (sentence.second) {
    words.emplace_back(sentence.second->negated ? "but" : "and");
    add_predicate(words, *sentence.second);
  }
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "a" && takes_an(words[i + 1])) words[i] = "an";
  }
  return written(words);
}

}  // namespace heddle::toy
