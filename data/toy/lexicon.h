// The words of the toy language: English and French forms side by side, with what the grammar has
// to know about them (gender, position of an adjective, auxiliary and government of a verb) and
// what keeps sentences sensible (which kinds of things a word goes with).
//
// Every English word has one translation. Where English hides what French needs (the gender of a
// friend, the tense of "they read"), the word is left out.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace heddle::toy {

enum class Gender { kMasculine, kFeminine };

/// Kinds of things, as bits: a word says with which kinds it goes.
inline constexpr unsigned kPerson = 1, kKin = 2, kAnimal = 4, kFood = 8, kText = 16, kThing = 32,
                          kPlace = 64, kNothing = 0, kPeople = kPerson | kKin,
                          kLiving = kPeople | kAnimal, kGoods = kFood | kText | kThing,
                          kAnything = kLiving | kGoods | kPlace;

struct Noun {
  std::string_view english, english_plural, french, french_plural;
  Gender gender;
  unsigned kind;
};

struct Name {
  std::string_view spelling;  // in both languages
  Gender gender;
};

struct Adjective {
  std::string_view english;
  std::string_view masculine, feminine, masculine_plural, feminine_plural;
  std::string_view before_vowel;  // masculine singular: un bel oiseau; empty if as elsewhere
  bool before_noun;
  bool predicative;  // "the house is red"
  unsigned kinds;
};

/// What follows a verb.
enum class Frame {
  kIntransitive,  // sleep
  kDirect,        // see somebody
  kIndirect,      // talk to somebody: parler à
  kGive,          // give something to somebody: donner à
  kMotion,        // go to a place
};

struct Verb {
  std::string_view base, third, past, particle;  // see sees saw; look looks looked for
  std::string_view participle;                   // masculine singular
  std::string_view preposition;                  // before the French complement; may be empty
  Frame frame;
  bool with_etre;
  unsigned subjects, objects;
  std::array<std::string_view, 5> present;  // je tu il nous ils
};

std::span<const Noun> nouns();
std::span<const Name> names();
std::span<const Adjective> adjectives();
std::span<const Verb> verbs();

/// By English singular, spelling, English form, base form. Throws Error for a word that is not
/// there.
const Noun& noun(std::string_view english);
const Name& name(std::string_view spelling);
const Adjective& adjective(std::string_view english);
const Verb& verb(std::string_view base);

/// Present of the auxiliaries: je tu il nous ils.
inline constexpr std::array<std::string_view, 5> kAvoir = {"ai", "as", "a", "avons", "ont"};
inline constexpr std::array<std::string_view, 5> kEtre = {"suis", "es", "est", "sommes", "sont"};

}  // namespace heddle::toy
