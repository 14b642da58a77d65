// French: agreement of articles, adjectives and participles, clitics before the verb, negation
// around it, and at the end what neighbouring words do to each other (l'homme, du, cet).
#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

#include "autograd/base/check.h"
#include "data/toy/grammar.h"

namespace heddle::toy {

namespace {

using Words = std::vector<std::string>;

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

/// Whether words before it elide: a vowel or a silent h.
bool begins_with_vowel(std::string_view word) {
  if (word.starts_with("hibou") || word.starts_with("hache")) return false;  // h aspiré
  const char first = static_cast<char>(std::tolower(static_cast<unsigned char>(word.front())));
  if (std::string_view("aeiouh").find(first) != std::string_view::npos) return true;
  return std::ranges::any_of(std::array<std::string_view, 4>{"é", "ê", "à", "œ"},
                             [&](std::string_view letter) { return word.starts_with(letter); });
}

struct Forms {
  std::string_view masculine, feminine, plural;
};

/// The determiner before a word that begins with a vowel or not. Elision comes later.
std::string_view determiner(Determiner kind, const Features& noun, bool before_vowel) {
  constexpr Forms kForms[] = {
      {"le", "la", "les"},  {"un", "une", "des"},      {"ce", "cette", "ces"},
      {"mon", "ma", "mes"}, {"ton", "ta", "tes"},      {"son", "sa", "ses"},
      {"son", "sa", "ses"}, {"notre", "notre", "nos"}, {"leur", "leur", "leurs"}};
  const Forms& forms = kForms[static_cast<std::size_t>(kind)];
  if (noun.plural) return forms.plural;
  if (noun.gender == Gender::kMasculine) {
    return kind == Determiner::kThis && before_vowel ? "cet" : forms.masculine;
  }
  const bool possessive = one_of(forms.feminine, {"ma", "ta", "sa"});
  return possessive && before_vowel ? forms.masculine : forms.feminine;  // mon école
}

std::string_view agreeing(const Adjective& adjective, const Features& noun, bool before_vowel) {
  if (noun.gender == Gender::kFeminine) {
    return noun.plural ? adjective.feminine_plural : adjective.feminine;
  }
  if (noun.plural) return adjective.masculine_plural;
  const bool special = before_vowel && !adjective.before_vowel.empty();
  return special ? adjective.before_vowel : adjective.masculine;
}

std::string agreeing_participle(const Verb& verb, const Features& with) {
  std::string form(verb.participle);
  if (with.gender == Gender::kFeminine) form += 'e';
  if (with.plural && !form.ends_with('s')) form += 's';
  return form;
}

/// 0 to 4 for je, tu, il, nous, ils.
std::size_t row(const Features& subject) {
  if (subject.person == 1) return subject.plural ? 3 : 0;
  if (subject.person == 2) return 1;
  return subject.plural ? 4 : 2;
}

void append(Words& words, std::initializer_list<std::string_view> more) {
  for (const std::string_view word : more) words.emplace_back(word);
}

void add_predicate(Words& words, const Clause& clause);
void add_clause(Words& words, const Clause& clause);

std::string_view indefinite(const NounPhrase& phrase, const Features& features, bool denied) {
  if (denied) return "de";                                     // pas de pomme
  if (phrase.plural && phrase.before != nullptr) return "de";  // de petits chats
  return determiner(Determiner::kA, features, false);
}

/// `denied`: the phrase is the direct object of a negated verb.
void add_noun(Words& words, const NounPhrase& phrase, bool denied) {
  const Features features = features_of(phrase);
  const std::string_view noun = phrase.plural ? phrase.noun->french_plural : phrase.noun->french;
  std::string_view before;
  if (phrase.before != nullptr) {
    before = agreeing(*phrase.before, features, begins_with_vowel(noun));
  }
  const std::string_view next = before.empty() ? noun : before;
  words.emplace_back(phrase.determiner == Determiner::kA
                         ? indefinite(phrase, features, denied)
                         : determiner(phrase.determiner, features, begins_with_vowel(next)));
  if (!before.empty()) words.emplace_back(before);
  words.emplace_back(noun);
  if (phrase.after != nullptr) words.emplace_back(agreeing(*phrase.after, features, false));
}

void add_relative(Words& words, const Clause& clause) {
  words.emplace_back(clause.gap == Gap::kSubject ? "qui" : "que");
  if (clause.gap == Gap::kSubject) {
    add_predicate(words, clause);
  } else {
    add_clause(words, clause);
  }
}

void add_phrase(Words& words, const NounPhrase& phrase, bool denied = false) {
  constexpr std::string_view kSubjects[] = {"je", "tu", "il", "elle", "nous", "ils"};
  if (phrase.form == NounPhrase::Form::kPronoun) {
    words.emplace_back(kSubjects[static_cast<std::size_t>(phrase.pronoun)]);
  } else if (phrase.form == NounPhrase::Form::kName) {
    words.emplace_back(phrase.name->spelling);
  } else {
    add_noun(words, phrase, denied);
  }
  if (phrase.owner != nullptr) {
    words.emplace_back("de");
    add_phrase(words, *phrase.owner);
  }
  if (phrase.relative != nullptr) add_relative(words, *phrase.relative);
}

bool is_clitic(const std::optional<NounPhrase>& phrase) {
  return phrase && phrase->form == NounPhrase::Form::kPronoun;
}

/// The unstressed pronoun of an object (le) or of a complement with à (lui).
std::string_view clitic(const NounPhrase& phrase, bool direct) {
  const Features features = features_of(phrase);
  if (features.person == 1) return features.plural ? "nous" : "me";
  if (features.person == 2) return "te";
  if (!direct) return features.plural ? "leur" : "lui";
  if (features.plural) return "les";
  return features.gender == Gender::kFeminine ? "la" : "le";
}

/// What the participle agrees with: with être the subject, with avoir a direct object before it.
Features agreement_of_participle(const Clause& clause) {
  if (clause.verb->with_etre) return features_of(clause.subject);
  if (is_clitic(clause.object) || clause.gap == Gap::kObject) return features_of(*clause.object);
  return {3, false, Gender::kMasculine};
}

std::string_view finite_verb(const Clause& clause) {
  const std::size_t person = row(features_of(clause.subject));
  if (clause.verb == nullptr) return kEtre[person];
  if (clause.tense == Tense::kPresent) return clause.verb->present[person];
  return clause.verb->with_etre ? kEtre[person] : kAvoir[person];
}

void add_verb(Words& words, const Clause& clause) {
  check(clause.verb != nullptr || clause.tense == Tense::kPresent,
        "toy grammar: \"be\" has no past; use the present");
  check(!is_clitic(clause.object) || !is_clitic(clause.complement),
        "toy grammar: object and complement of \"",
        clause.verb == nullptr ? "be" : clause.verb->base, "\" are both pronouns; name one");
  if (clause.negated) words.emplace_back("ne");
  if (is_clitic(clause.object)) words.emplace_back(clitic(*clause.object, true));
  if (is_clitic(clause.complement)) words.emplace_back(clitic(*clause.complement, false));
  words.emplace_back(finite_verb(clause));
  if (clause.negated) words.emplace_back("pas");
  if (clause.verb != nullptr && clause.tense == Tense::kPast) {
    words.push_back(agreeing_participle(*clause.verb, agreement_of_participle(clause)));
  }
}

void add_location(Words& words, const Location& location) {
  if (location.where == Where::kIn) append(words, {"dans"});
  if (location.where == Where::kNear) append(words, {"près", "de"});
  if (location.where == Where::kBehind) append(words, {"derrière"});
  add_phrase(words, location.place);
}

void add_adverb(Words& words, Adverb adverb) {
  if (adverb == Adverb::kEveryDay) append(words, {"tous", "les", "jours"});
  if (adverb == Adverb::kYesterday) append(words, {"hier"});
  if (adverb == Adverb::kThisMorning) append(words, {"ce", "matin"});
  if (adverb == Adverb::kToo) append(words, {"aussi"});
}

void add_predicate(Words& words, const Clause& clause) {
  add_verb(words, clause);
  if (clause.adjective != nullptr) {
    words.emplace_back(agreeing(*clause.adjective, features_of(clause.subject), false));
  }
  if (clause.object && !is_clitic(clause.object) && clause.gap != Gap::kObject) {
    add_phrase(words, *clause.object, clause.negated);
  }
  if (clause.complement && !is_clitic(clause.complement)) {
    words.emplace_back(clause.verb->preposition);
    add_phrase(words, *clause.complement);
  }
  if (clause.location) add_location(words, *clause.location);
  add_adverb(words, clause.adverb);
}

void add_clause(Words& words, const Clause& clause) {
  add_phrase(words, clause.subject);
  add_predicate(words, clause);
}

/// Joins words that meet: l'homme, j'ai, du garçon, aux hommes.
Words joined(const Words& words) {
  Words result;
  std::string elided;
  const auto vowel_at = [&](std::size_t i) {
    return i < words.size() && begins_with_vowel(words[i]);
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool elides = one_of(word, {"le", "la", "je", "me", "te", "ne", "de", "que"});
    if (elides && vowel_at(i + 1)) {
      elided = word.substr(0, word.size() - 1) + '\'';
      continue;
    }
    const bool contracts = one_of(word, {"à", "de"}) && i + 1 < words.size();
    const bool with_les = contracts && words[i + 1] == "les";
    if (with_les || (contracts && words[i + 1] == "le" && !vowel_at(i + 2))) {
      result.emplace_back(with_les ? (word == "à" ? "aux" : "des") : (word == "à" ? "au" : "du"));
      ++i;
      continue;
    }
    result.push_back(elided + word);
    elided.clear();
  }
  return result;
}

}  // namespace

std::string french(const Sentence& sentence) {
  Words words;
  add_clause(words, sentence.clause);
  if (sentence.second) {
    words.emplace_back(sentence.second->negated ? "mais" : "et");
    add_predicate(words, *sentence.second);
  }
  return written(joined(words));
}

}  // namespace heddle::toy
