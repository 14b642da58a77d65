// A sentence of the toy language as a tree, and its two readings.
//
// The tree says what is meant: who does what to whom, when, and whether it is denied. english() and
// french() put it into words; each knows its own agreement, order and spelling, and neither looks
// at the other's result. README.md beside this file describes the grammar.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/toy/lexicon.h"

namespace heddle::toy {

enum class Determiner { kThe, kA, kThis, kMy, kYour, kHis, kHer, kOur, kTheir };

/// kIt stands for a noun of the same sentence: it or them, by number.
enum class Pronoun { kI, kYou, kHe, kShe, kWe, kThey, kIt };

enum class Tense { kPresent, kPast };

enum class Adverb { kNone, kEveryDay, kYesterday, kThisMorning, kToo };

enum class Where { kIn, kNear, kBehind };

/// What a relative clause leaves out, because its antecedent says it.
enum class Gap { kNone, kSubject, kObject };

struct Clause;

struct NounPhrase {
  enum class Form { kNoun, kName, kPronoun };

  Form form = Form::kNoun;
  const Noun* noun = nullptr;  // of kIt: the noun it stands for
  const Name* name = nullptr;
  Pronoun pronoun = Pronoun::kI;
  Determiner determiner = Determiner::kThe;  // a: some, any in the plural
  bool plural = false;
  const Adjective* before = nullptr;  // where French has it; English has both before the noun
  const Adjective* after = nullptr;
  std::shared_ptr<const NounPhrase> owner = nullptr;  // the brother of the king
  std::shared_ptr<const Clause> relative = nullptr;   // the king who sleeps
};

struct Location {
  Where where;
  NounPhrase place;
};

struct Clause {
  NounPhrase subject = {};
  const Verb* verb = nullptr;            // null: be, with an adjective, in the present
  const Adjective* adjective = nullptr;  // of be
  Tense tense = Tense::kPresent;
  bool negated = false;
  std::optional<NounPhrase> object = {};      // of see, give
  std::optional<NounPhrase> complement = {};  // of talk to, give to, go to
  std::optional<Location> location = {};
  Adverb adverb = Adverb::kNone;
  Gap gap = Gap::kNone;  // the phrase is there, for agreement, but not spoken
};

struct Sentence {
  Clause clause;
  std::optional<Clause> second =
      {};  // same subject, not repeated; joined by "but" if it is negated
};

/// Person, number and gender of a phrase.
struct Features {
  int person;
  bool plural;
  Gender gender;
};
Features features_of(const NounPhrase& phrase);

/// The sentence with a capital at its beginning and a full stop. french() throws Error for what the
/// grammar leaves out: "be" in the past, and object and complement that are both pronouns.
std::string english(const Sentence& sentence);
std::string french(const Sentence& sentence);

/// Words joined by blanks, first letter raised, full stop added.
std::string written(const std::vector<std::string>& words);

}  // namespace heddle::toy
