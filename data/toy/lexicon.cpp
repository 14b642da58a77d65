#include "data/toy/lexicon.h"

#include <algorithm>

#include "autograd/base/check.h"

namespace heddle::toy {

namespace {

constexpr Gender kM = Gender::kMasculine;
constexpr Gender kF = Gender::kFeminine;

constexpr Noun kNouns[] = {
    {"man", "men", "homme", "hommes", kM, kPerson},
    {"boy", "boys", "garçon", "garçons", kM, kPerson},
    {"king", "kings", "roi", "rois", kM, kPerson},
    {"actor", "actors", "acteur", "acteurs", kM, kPerson},
    {"woman", "women", "femme", "femmes", kF, kPerson},
    {"girl", "girls", "fille", "filles", kF, kPerson},
    {"queen", "queens", "reine", "reines", kF, kPerson},
    {"actress", "actresses", "actrice", "actrices", kF, kPerson},
    {"father", "fathers", "père", "pères", kM, kKin},
    {"brother", "brothers", "frère", "frères", kM, kKin},
    {"uncle", "uncles", "oncle", "oncles", kM, kKin},
    {"mother", "mothers", "mère", "mères", kF, kKin},
    {"sister", "sisters", "sœur", "sœurs", kF, kKin},
    {"aunt", "aunts", "tante", "tantes", kF, kKin},
    {"dog", "dogs", "chien", "chiens", kM, kAnimal},
    {"cat", "cats", "chat", "chats", kM, kAnimal},
    {"horse", "horses", "cheval", "chevaux", kM, kAnimal},
    {"bird", "birds", "oiseau", "oiseaux", kM, kAnimal},
    {"owl", "owls", "hibou", "hiboux", kM, kAnimal},
    {"cow", "cows", "vache", "vaches", kF, kAnimal},
    {"mouse", "mice", "souris", "souris", kF, kAnimal},
    {"goose", "geese", "oie", "oies", kF, kAnimal},
    {"cake", "cakes", "gâteau", "gâteaux", kM, kFood},
    {"egg", "eggs", "œuf", "œufs", kM, kFood},
    {"lemon", "lemons", "citron", "citrons", kM, kFood},
    {"apple", "apples", "pomme", "pommes", kF, kFood},
    {"orange", "oranges", "orange", "oranges", kF, kFood},
    {"pear", "pears", "poire", "poires", kF, kFood},
    {"book", "books", "livre", "livres", kM, kText},
    {"newspaper", "newspapers", "journal", "journaux", kM, kText},
    {"letter", "letters", "lettre", "lettres", kF, kText},
    {"story", "stories", "histoire", "histoires", kF, kText},
    {"hat", "hats", "chapeau", "chapeaux", kM, kThing},
    {"knife", "knives", "couteau", "couteaux", kM, kThing},
    {"umbrella", "umbrellas", "parapluie", "parapluies", kM, kThing},
    {"bike", "bikes", "vélo", "vélos", kM, kThing},
    {"car", "cars", "voiture", "voitures", kF, kThing},
    {"key", "keys", "clé", "clés", kF, kThing},
    {"clock", "clocks", "horloge", "horloges", kF, kThing},
    {"plate", "plates", "assiette", "assiettes", kF, kThing},
    {"axe", "axes", "hache", "haches", kF, kThing},
    {"garden", "gardens", "jardin", "jardins", kM, kPlace},
    {"market", "markets", "marché", "marchés", kM, kPlace},
    {"castle", "castles", "château", "châteaux", kM, kPlace},
    {"hotel", "hotels", "hôtel", "hôtels", kM, kPlace},
    {"hospital", "hospitals", "hôpital", "hôpitaux", kM, kPlace},
    {"house", "houses", "maison", "maisons", kF, kPlace},
    {"station", "stations", "gare", "gares", kF, kPlace},
    {"school", "schools", "école", "écoles", kF, kPlace},
    {"church", "churches", "église", "églises", kF, kPlace},
};

constexpr Name kNames[] = {{"Paul", kM},  {"Luc", kM},   {"Alain", kM},
                           {"Marie", kF}, {"Julie", kF}, {"Anne", kF}};

constexpr unsigned kNotPeople = kAnimal | kGoods | kPlace;

constexpr Adjective kAdjectives[] = {
    {"small", "petit", "petite", "petits", "petites", "", true, true, kAnything},
    {"big", "grand", "grande", "grands", "grandes", "", true, true, kNotPeople},
    {"beautiful", "beau", "belle", "beaux", "belles", "bel", true, true, kNotPeople},
    {"old", "vieux", "vieille", "vieux", "vieilles", "vieil", true, true, kAnything & ~kFood},
    {"new", "nouveau", "nouvelle", "nouveaux", "nouvelles", "nouvel", true, false,
     kPerson | kText | kThing | kPlace},
    {"good", "bon", "bonne", "bons", "bonnes", "", true, true, kLiving | kFood | kText},
    {"young", "jeune", "jeune", "jeunes", "jeunes", "", true, true, kLiving},
    {"red", "rouge", "rouge", "rouges", "rouges", "", false, true, kThing | kFood},
    {"green", "vert", "verte", "verts", "vertes", "", false, true, kThing | kFood},
    {"blue", "bleu", "bleue", "bleus", "bleues", "", false, true, kThing},
    {"white", "blanc", "blanche", "blancs", "blanches", "", false, true, kAnimal | kThing | kPlace},
    {"black", "noir", "noire", "noirs", "noires", "", false, true, kAnimal | kThing},
    {"grey", "gris", "grise", "gris", "grises", "", false, true, kAnimal | kThing},
    {"happy", "heureux", "heureuse", "heureux", "heureuses", "", false, true, kLiving},
    {"strong", "fort", "forte", "forts", "fortes", "", false, true, kLiving},
    {"tired", "fatigué", "fatiguée", "fatigués", "fatiguées", "", false, true, kLiving},
    {"intelligent", "intelligent", "intelligente", "intelligents", "intelligentes", "", false, true,
     kLiving},
    {"honest", "honnête", "honnête", "honnêtes", "honnêtes", "", false, true, kPeople},
    {"famous", "célèbre", "célèbre", "célèbres", "célèbres", "", false, true,
     kPerson | kText | kPlace},
    {"dangerous", "dangereux", "dangereuse", "dangereux", "dangereuses", "", false, true,
     kAnimal | kThing},
    {"useful", "utile", "utile", "utiles", "utiles", "", false, true, kThing | kText},
    {"strange", "étrange", "étrange", "étranges", "étranges", "", false, true,
     kPerson | kAnimal | kText | kThing | kPlace},
    {"expensive", "cher", "chère", "chers", "chères", "", false, true, kGoods | kPlace},
};

template <class Word, class Key>
const Word& find(std::span<const Word> words, std::string_view wanted, Key Word::*key) {
  const auto found = std::ranges::find(words, wanted, key);
  check(found != words.end(), "toy lexicon: there is no word \"", wanted, "\"");
  return *found;
}

}  // namespace

std::span<const Noun> nouns() {
  return kNouns;
}

std::span<const Name> names() {
  return kNames;
}

std::span<const Adjective> adjectives() {
  return kAdjectives;
}

const Noun& noun(std::string_view english) {
  return find(nouns(), english, &Noun::english);
}

const Name& name(std::string_view spelling) {
  return find(names(), spelling, &Name::spelling);
}

const Adjective& adjective(std::string_view english) {
  return find(adjectives(), english, &Adjective::english);
}

const Verb& verb(std::string_view base) {
  return find(verbs(), base, &Verb::base);
}

}  // namespace heddle::toy
