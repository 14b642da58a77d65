#include "data/toy/grammar.h"

#include <cctype>

namespace heddle::toy {

Features features_of(const NounPhrase& phrase) {
  constexpr Gender kM = Gender::kMasculine;
  if (phrase.form == NounPhrase::Form::kName) return {3, false, phrase.name->gender};
  if (phrase.form == NounPhrase::Form::kNoun) return {3, phrase.plural, phrase.noun->gender};
  switch (phrase.pronoun) {
    case Pronoun::kI:
      return {1, false, kM};
    case Pronoun::kYou:
      return {2, false, kM};
    case Pronoun::kHe:
      return {3, false, kM};
    case Pronoun::kShe:
      return {3, false, Gender::kFeminine};
    case Pronoun::kWe:
      return {1, true, kM};
    case Pronoun::kThey:
      return {3, true, kM};
    case Pronoun::kIt:
      break;
  }
  return {3, phrase.plural, phrase.noun->gender};
}

std::string written(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text += '.';
}

}  // namespace heddle::toy
