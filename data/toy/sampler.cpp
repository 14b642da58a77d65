#include "data/toy/sampler.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace heddle::toy {

std::size_t Draw::below(std::size_t count) {
  const PhiloxCounter bits = stream_(used_ / 4, index_);
  const std::uint64_t number = bits[used_ % 4];
  ++used_;
  return static_cast<std::size_t>((number * count) >> 32);
}

namespace {

constexpr std::uint32_t kSentences = 1;  // purpose of the numbers drawn here
constexpr std::size_t kBeChances = 4;    // "be" is chosen as often as so many other verbs

/// What a noun phrase may be where it stands.
struct Place {
  unsigned kinds = kAnything;
  bool indefinite = true;         // a, some
  bool indefinite_plural = true;  // some
  bool rich = true;               // adjectives, "of", relative clauses
  bool owner = true;              // "of"
};

/// Grows one sentence. At most one relative clause, so that sentences stay short.
class Sampler {
 public:
  explicit Sampler(Draw draw) : draw_(draw) {}

  Sentence sentence() {
    if (draw_.percent(22)) return two_clauses();
    Sentence result;
    const bool be = draw_.below(verbs().size() + kBeChances) < kBeChances;
    result.clause = be ? be_clause() : verb_clause();
    return result;
  }

 private:
  template <class Word, class Condition>
  const Word& choose(std::span<const Word> words, Condition condition) {
    std::vector<const Word*> fitting;
    for (const Word& word : words) {
      if (condition(word)) fitting.push_back(&word);
    }
    return *draw_.of(fitting);
  }

  const Noun& a_noun(unsigned kinds) {
    return choose(nouns(), [=](const Noun& noun) { return (noun.kind & kinds) != 0; });
  }

  const Adjective& an_adjective(unsigned kind, bool before) {
    return choose(adjectives(), [=](const Adjective& adjective) {
      return adjective.before_noun == before && (adjective.kinds & kind) != 0;
    });
  }

  Determiner a_determiner(const Noun& noun, const Place& place, bool plural) {
    const std::size_t chance = draw_.below(100);
    const bool indefinite = place.indefinite && (!plural || place.indefinite_plural);
    if (chance < 22 && indefinite) return Determiner::kA;
    if (chance < 34) return Determiner::kThis;
    if (chance < 58 && noun.kind != kPerson) {
      constexpr Determiner kOwners[] = {Determiner::kMy,  Determiner::kYour, Determiner::kHis,
                                        Determiner::kHer, Determiner::kOur,  Determiner::kTheir};
      return draw_.of(std::span(kOwners));
    }
    return Determiner::kThe;
  }

  NounPhrase simple_phrase(const Place& place) {
    NounPhrase phrase;
    phrase.noun = &a_noun(place.kinds);
    phrase.plural = draw_.percent(42);
    phrase.determiner = a_determiner(*phrase.noun, place, phrase.plural);
    return phrase;
  }

  NounPhrase a_name() {
    NounPhrase phrase{.form = NounPhrase::Form::kName};
    phrase.name = &draw_.of(names());
    return phrase;
  }

  void add_adjectives(NounPhrase& phrase) {
    const std::size_t chance = draw_.below(100);
    const unsigned kind = phrase.noun->kind;
    if (chance < 18 || (36 <= chance && chance < 42)) phrase.before = &an_adjective(kind, true);
    if (18 <= chance && chance < 42) phrase.after = &an_adjective(kind, false);
  }

  NounPhrase an_owner() {
    if (draw_.percent(30)) return a_name();
    return simple_phrase({.kinds = kPeople, .indefinite_plural = false});
  }

  NounPhrase noun_phrase(const Place& place) {
    NounPhrase phrase = simple_phrase(place);
    if (!place.rich) return phrase;
    add_adjectives(phrase);
    const bool owned = phrase.determiner == Determiner::kThe && phrase.noun->kind != kPerson;
    if (place.owner && owned && draw_.percent(14)) {
      phrase.owner = std::make_shared<NounPhrase>(an_owner());
    } else if (!relative_ && draw_.percent(18)) {
      relative_ = true;
      phrase.relative = std::make_shared<Clause>(relative_clause(phrase));
    }
    return phrase;
  }

  NounPhrase subject(unsigned kinds, bool rich) {
    const std::size_t chance = draw_.below(100);
    if ((kinds & kPeople) != 0 && chance < 50) {
      return {.form = NounPhrase::Form::kPronoun, .pronoun = static_cast<Pronoun>(draw_.below(6))};
    }
    if ((kinds & kPeople) != 0 && chance < 58) return a_name();
    return noun_phrase({.kinds = kinds, .rich = rich});
  }

  /// me you him her us, and for a complement with "to" also them; not the subject again.
  NounPhrase object_pronoun(const NounPhrase& subject, bool them) {
    std::vector<Pronoun> fitting;
    const Features features = features_of(subject);
    for (const Pronoun pronoun :
         {Pronoun::kI, Pronoun::kYou, Pronoun::kHe, Pronoun::kShe, Pronoun::kWe, Pronoun::kThey}) {
      const NounPhrase phrase{.form = NounPhrase::Form::kPronoun, .pronoun = pronoun};
      const int person = features_of(phrase).person;
      const bool again = person == features.person && person != 3;
      if (!again && (pronoun != Pronoun::kThey || them)) fitting.push_back(pronoun);
    }
    return {.form = NounPhrase::Form::kPronoun, .pronoun = draw_.of(fitting)};
  }

  void add_object(Clause& clause, bool rich) {
    const Verb& verb = *clause.verb;
    const bool people = (verb.objects & kPeople) != 0;
    if (verb.frame == Frame::kDirect && people && draw_.percent(35)) {
      clause.object = object_pronoun(clause.subject, false);
      return;
    }
    const bool simple = verb.frame == Frame::kGive;
    clause.object = noun_phrase(
        {.kinds = verb.objects, .indefinite = verb.base != "like", .rich = rich && !simple});
    if (simple && rich) add_adjectives(*clause.object);
  }

  void add_recipient(Clause& clause, bool pronouns) {
    const std::size_t chance = draw_.below(100);
    const unsigned kinds =
        clause.verb->frame == Frame::kGive ? unsigned{kPeople} : clause.verb->objects;
    if (pronouns && chance < 45) {
      clause.complement = object_pronoun(clause.subject, true);
    } else if (chance < 55) {
      clause.complement = a_name();
    } else {
      clause.complement =
          noun_phrase({.kinds = kinds, .indefinite = !clause.negated, .indefinite_plural = false});
    }
  }

  void add_place(Clause& clause) {
    const bool indefinite = !clause.negated && clause.verb->preposition != "à";
    clause.complement =
        noun_phrase({.kinds = kPlace, .indefinite = indefinite, .indefinite_plural = false});
  }

  Location a_location() {
    const Where where = static_cast<Where>(draw_.below(3));
    return {where, simple_phrase({.kinds = kPlace, .indefinite_plural = false})};
  }

  void add_adverb(Clause& clause) {
    if (!draw_.percent(12)) return;
    if (clause.tense == Tense::kPresent) {
      clause.adverb = Adverb::kEveryDay;
    } else {
      clause.adverb = draw_.percent(50) ? Adverb::kYesterday : Adverb::kThisMorning;
    }
  }

  /// Relative clauses are not denied.
  void add_denial(Clause& clause) {
    clause.negated = clause.gap == Gap::kNone && draw_.percent(25);
  }

  void add_tense(Clause& clause) {
    clause.tense = draw_.percent(50) ? Tense::kPast : Tense::kPresent;
    add_denial(clause);
  }

  /// What follows the verb, by its frame.
  void add_complements(Clause& clause, bool rich) {
    const Frame frame = clause.verb->frame;
    if (frame == Frame::kDirect || frame == Frame::kGive) add_object(clause, rich);
    if (frame == Frame::kGive || frame == Frame::kIndirect) add_recipient(clause, true);
    if (frame == Frame::kMotion) add_place(clause);
    if (frame == Frame::kIntransitive && draw_.percent(50)) clause.location = a_location();
  }

  Clause verb_clause() {
    Clause clause;
    clause.verb = &draw_.of(verbs());
    clause.subject = subject(clause.verb->subjects, true);
    add_tense(clause);
    add_complements(clause, true);
    add_adverb(clause);
    return clause;
  }

  /// `subject` is that of the clause, with the adjectives that it already has.
  void add_adjective(Clause& clause, const NounPhrase& subject) {
    const bool noun = subject.form == NounPhrase::Form::kNoun;
    const unsigned kind = noun ? subject.noun->kind : unsigned{kPerson};
    clause.adjective = &choose(adjectives(), [&, kind](const Adjective& adjective) {
      const bool again = &adjective == subject.before || &adjective == subject.after;
      return adjective.predicative && !again && (adjective.kinds & kind) != 0;
    });
    add_denial(clause);
  }

  Clause be_clause() {
    Clause clause;
    clause.subject = subject(kAnything, true);
    add_adjective(clause, clause.subject);
    const bool short_subject = clause.subject.form != NounPhrase::Form::kNoun;
    if (short_subject && !clause.negated) {
      clause.adverb = draw_.percent(50) ? Adverb::kToo : Adverb::kEveryDay;
    }
    return clause;
  }

  static NounPhrase antecedent(const NounPhrase& phrase) {
    NounPhrase bare;
    bare.noun = phrase.noun;
    bare.plural = phrase.plural;
    return bare;
  }

  Clause relative_clause(const NounPhrase& phrase) {
    return draw_.percent(50) ? subject_relative(phrase) : object_relative(phrase);
  }

  Clause subject_relative(const NounPhrase& phrase) {
    const unsigned kind = phrase.noun->kind;
    Clause clause{.subject = antecedent(phrase), .gap = Gap::kSubject};
    if ((kind & kLiving) == 0 || draw_.percent(15)) {
      add_adjective(clause, phrase);
      return clause;
    }
    clause.verb = &choose(verbs(), [=](const Verb& verb) {
      return (verb.subjects & kind) != 0 && verb.frame != Frame::kGive;
    });
    add_tense(clause);
    add_complements(clause, false);
    return clause;
  }

  Clause object_relative(const NounPhrase& phrase) {
    const unsigned kind = phrase.noun->kind;
    Clause clause{.object = antecedent(phrase), .gap = Gap::kObject};
    clause.verb = &choose(verbs(), [=](const Verb& verb) {
      return verb.frame == Frame::kDirect && (verb.objects & kind) != 0;
    });
    clause.subject = subject(clause.verb->subjects, false);
    add_tense(clause);
    return clause;
  }

  /// Somebody does something with a thing and something else with it. The thing has no owner:
  /// "them" could stand for the owners.
  Sentence two_clauses() {
    relative_ = true;
    Clause first;
    first.subject = subject(kPeople, false);
    const auto about_goods = [](const Verb& verb) {
      return verb.frame == Frame::kDirect && (verb.objects & kGoods) != 0;
    };
    first.verb = &choose(verbs(), about_goods);
    add_tense(first);
    first.negated = false;
    first.object = noun_phrase({.kinds = first.verb->objects & (kGoods | kAnimal),
                                .indefinite = first.verb->base != "like",
                                .owner = false});
    Clause second{.subject = first.subject, .tense = first.tense};
    const Verb* const before = first.verb;
    const unsigned kind = first.object->noun->kind;
    second.verb = &choose(verbs(), [=](const Verb& verb) {
      const bool fits = verb.frame == Frame::kDirect || verb.frame == Frame::kGive;
      return fits && &verb != before && (verb.objects & kind) != 0;
    });
    second.negated = draw_.percent(25);
    second.object = antecedent(*first.object);
    second.object->form = NounPhrase::Form::kPronoun;
    second.object->pronoun = Pronoun::kIt;
    if (second.verb->frame == Frame::kGive) add_recipient(second, false);
    return {std::move(first), std::move(second)};
  }

  Draw draw_;
  bool relative_ = false;
};

}  // namespace

Sentence sample_sentence(std::uint64_t seed, std::uint64_t index) {
  return Sampler(Draw(seed, kSentences, index)).sentence();
}

}  // namespace heddle::toy
