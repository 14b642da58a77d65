// The toy grammar against sentences written by hand, one or more for each phenomenon that its
// README names.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/toy/corpus.h"
#include "data/toy/grammar.h"
#include "tests/support/throws.h"

using namespace heddle::toy;

namespace {

NounPhrase one(Determiner determiner, std::string_view word) {
  NounPhrase phrase;
  phrase.noun = &noun(word);
  phrase.determiner = determiner;
  return phrase;
}

NounPhrase many(Determiner determiner, std::string_view word) {
  NounPhrase phrase = one(determiner, word);
  phrase.plural = true;
  return phrase;
}

NounPhrase the(std::string_view word) {
  return one(Determiner::kThe, word);
}

NounPhrase the_many(std::string_view word) {
  return many(Determiner::kThe, word);
}

NounPhrase a(std::string_view word) {
  return one(Determiner::kA, word);
}

NounPhrase some(std::string_view word) {
  return many(Determiner::kA, word);
}

NounPhrase called(std::string_view spelling) {
  NounPhrase phrase;
  phrase.form = NounPhrase::Form::kName;
  phrase.name = &name(spelling);
  return phrase;
}

NounPhrase he(Pronoun pronoun) {
  NounPhrase phrase;
  phrase.form = NounPhrase::Form::kPronoun;
  phrase.pronoun = pronoun;
  return phrase;
}

const NounPhrase kI = he(Pronoun::kI), kYou = he(Pronoun::kYou), kHe = he(Pronoun::kHe),
                 kShe = he(Pronoun::kShe), kWe = he(Pronoun::kWe), kThey = he(Pronoun::kThey);

NounPhrase is(std::string_view word, NounPhrase phrase) {
  const Adjective& found = adjective(word);
  (found.before_noun ? phrase.before : phrase.after) = &found;
  return phrase;
}

NounPhrase of(NounPhrase phrase, const NounPhrase& owner) {
  phrase.owner = std::make_shared<NounPhrase>(owner);
  return phrase;
}

Clause says(const NounPhrase& subject, std::string_view base) {
  Clause clause;
  clause.subject = subject;
  clause.verb = &verb(base);
  return clause;
}

/// The phrase goes where the verb wants it.
Clause says(const NounPhrase& subject, std::string_view base, const NounPhrase& phrase) {
  Clause clause = says(subject, base);
  (clause.verb->frame == Frame::kDirect ? clause.object : clause.complement) = phrase;
  return clause;
}

Clause gives(const NounPhrase& subject, std::string_view base, const NounPhrase& thing,
             const NounPhrase& recipient) {
  Clause clause = says(subject, base, recipient);
  clause.object = thing;
  return clause;
}

Clause be(const NounPhrase& subject, std::string_view word) {
  Clause clause;
  clause.subject = subject;
  clause.adjective = &adjective(word);
  return clause;
}

Clause past(Clause clause) {
  clause.tense = Tense::kPast;
  return clause;
}

Clause denied(Clause clause) {
  clause.negated = true;
  return clause;
}

Clause when(Adverb adverb, Clause clause) {
  clause.adverb = adverb;
  return clause;
}

Clause where(Where place, const NounPhrase& phrase, Clause clause) {
  clause.location = Location{place, phrase};
  return clause;
}

/// The phrase with a relative clause that leaves it out: as subject, as object.
NounPhrase who(NounPhrase phrase, Clause clause) {
  clause.gap = Gap::kSubject;
  phrase.relative = std::make_shared<Clause>(clause);
  return phrase;
}

NounPhrase that(NounPhrase phrase, Clause clause) {
  clause.gap = Gap::kObject;
  phrase.relative = std::make_shared<Clause>(clause);
  return phrase;
}

NounPhrase it(NounPhrase phrase) {
  phrase.form = NounPhrase::Form::kPronoun;
  phrase.pronoun = Pronoun::kIt;
  return phrase;
}

struct Example {
  Sentence meaning;
  std::string english, french;
};

void check_all(const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    CHECK(english(example.meaning) == example.english);
    CHECK(french(example.meaning) == example.french);
  }
}

}  // namespace

TEST_CASE("toy grammar: articles, nouns and elision") {
  check_all({
      {{says(the("man"), "see", the("dog"))}, "The man sees the dog.", "L'homme voit le chien."},
      {{says(the("owl"), "watch", the("goose"))},
       "The owl watches the goose.",
       "Le hibou regarde l'oie."},
      {{says(a("actress"), "hide", a("axe"))},
       "An actress hides an axe.",
       "Une actrice cache une hache."},
      {{says(the_many("woman"), "like", the_many("mouse"))},
       "The women like the mice.",
       "Les femmes aiment les souris."},
      {{says(some("king"), "sell", some("horse"))},
       "Some kings sell some horses.",
       "Des rois vendent des chevaux."},
      {{says(kI, "like", the("egg"))}, "I like the egg.", "J'aime l'œuf."},
  });
}

TEST_CASE("toy grammar: determiners agree, and change before a vowel") {
  using enum Determiner;
  check_all({
      {{says(one(kThis, "bird"), "eat", one(kThis, "pear"))},
       "This bird eats this pear.",
       "Cet oiseau mange cette poire."},
      {{says(many(kThis, "boy"), "wash", one(kThis, "hat"))},
       "These boys wash this hat.",
       "Ces garçons lavent ce chapeau."},
      {{says(one(kMy, "uncle"), "lose", one(kMy, "clock"))},
       "My uncle loses my clock.",
       "Mon oncle perd mon horloge."},
      {{says(one(kHer, "sister"), "forget", is("old", one(kHis, "story")))},
       "Her sister forgets his old story.",
       "Sa sœur oublie sa vieille histoire."},
      {{says(one(kYour, "aunt"), "carry", one(kYour, "axe"))},
       "Your aunt carries your axe.",
       "Ta tante porte ta hache."},
      {{says(many(kOur, "brother"), "draw", many(kTheir, "house"))},
       "Our brothers draw their houses.",
       "Nos frères dessinent leurs maisons."},
  });
}

TEST_CASE("toy grammar: adjectives agree and have their places") {
  check_all({
      {{says(kHe, "choose", is("white", a("plate")))},
       "He chooses a white plate.",
       "Il choisit une assiette blanche."},
      {{says(kShe, "take", is("big", is("red", a("umbrella"))))},
       "She takes a big red umbrella.",
       "Elle prend un grand parapluie rouge."},
      {{says(is("honest", a("man")), "find", is("useful", a("key")))},
       "An honest man finds a useful key.",
       "Un homme honnête trouve une clé utile."},
      {{says(is("old", the("man")), "draw", is("beautiful", a("bird")))},
       "The old man draws a beautiful bird.",
       "Le vieil homme dessine un bel oiseau."},
      {{says(is("old", the_many("actor")), "draw", is("beautiful", a("owl")))},
       "The old actors draw a beautiful owl.",
       "Les vieux acteurs dessinent un beau hibou."},
      {{says(kWe, "see", is("new", the("hotel")))},
       "We see the new hotel.",
       "Nous voyons le nouvel hôtel."},
      {{says(is("small", some("cat")), "sleep")},
       "Some small cats sleep.",
       "De petits chats dorment."},
      {{be(the_many("girl"), "happy")}, "The girls are happy.", "Les filles sont heureuses."},
      {{be(the("station"), "expensive")}, "The station is expensive.", "La gare est chère."},
      {{when(Adverb::kToo, be(kI, "tired"))}, "I am tired too.", "Je suis fatigué aussi."},
      {{when(Adverb::kEveryDay, be(kWe, "happy"))},
       "We are happy every day.",
       "Nous sommes heureux tous les jours."},
      {{denied(be(kShe, "strong"))}, "She is not strong.", "Elle n'est pas forte."},
  });
}

TEST_CASE("toy grammar: two tenses, two auxiliaries, denials") {
  check_all({
      {{past(says(kShe, "buy", the_many("pear")))},
       "She bought the pears.",
       "Elle a acheté les poires."},
      {{past(says(kShe, "enter", the("church")))},
       "She entered the church.",
       "Elle est entrée dans l'église."},
      {{past(says(the_many("girl"), "fall"))}, "The girls fell.", "Les filles sont tombées."},
      {{denied(past(says(kWe, "arrive", the("market"))))},
       "We did not arrive at the market.",
       "Nous ne sommes pas arrivés au marché."},
      {{denied(says(the("boy"), "see", the("cow")))},
       "The boy does not see the cow.",
       "Le garçon ne voit pas la vache."},
      {{denied(says(kI, "help", called("Anne")))}, "I do not help Anne.", "Je n'aide pas Anne."},
      {{denied(says(kThey, "eat", is("green", a("apple"))))},
       "They do not eat a green apple.",
       "Ils ne mangent pas de pomme verte."},
      {{denied(past(says(kYou, "sell", is("old", some("clock")))))},
       "You did not sell any old clocks.",
       "Tu n'as pas vendu de vieilles horloges."},
      {{denied(past(says(kHe, "lose", some("orange"))))},
       "He did not lose any oranges.",
       "Il n'a pas perdu d'oranges."},
      {{when(Adverb::kEveryDay, says(kWe, "eat", some("cake")))},
       "We eat some cakes every day.",
       "Nous mangeons des gâteaux tous les jours."},
  });
}

TEST_CASE("toy grammar: prepositions that English or French has, and contractions") {
  check_all({
      {{says(kHe, "look", the("knife"))}, "He looks for the knife.", "Il cherche le couteau."},
      {{past(says(kYou, "listen", the_many("bird")))},
       "You listened to the birds.",
       "Tu as écouté les oiseaux."},
      {{says(the("queen"), "obey", the("king"))},
       "The queen obeys the king.",
       "La reine obéit au roi."},
      {{says(kI, "go", the_many("hospital"))}, "I go to the hospitals.", "Je vais aux hôpitaux."},
      {{past(says(kThey, "come", the_many("garden")))},
       "They came from the gardens.",
       "Ils sont venus des jardins."},
      {{when(Adverb::kThisMorning, past(where(Where::kNear, the("castle"), says(kI, "run"))))},
       "I ran near the castle this morning.",
       "J'ai couru près du château ce matin."},
      {{says(of(the("father"), the("actor")), "come", the("school"))},
       "The father of the actor comes from the school.",
       "Le père de l'acteur vient de l'école."},
      {{past(says(of(the("car"), called("Alain")), "stay", the("garden")))},
       "The car of Alain stayed in the garden.",
       "La voiture d'Alain est restée dans le jardin."},
  });
}

TEST_CASE("toy grammar: clitics, and participles that agree with them") {
  check_all({
      {{says(kHe, "like", kShe)}, "He likes her.", "Il l'aime."},
      {{denied(past(says(kI, "see", kShe)))}, "I did not see her.", "Je ne l'ai pas vue."},
      {{past(says(called("Marie"), "call", kWe))}, "Marie called us.", "Marie nous a appelés."},
      {{past(says(called("Marie"), "answer", kWe))}, "Marie answered us.", "Marie nous a répondu."},
      {{says(kYou, "wait", kI)}, "You wait for me.", "Tu m'attends."},
      {{denied(says(the("dog"), "follow", kYou))},
       "The dog does not follow you.",
       "Le chien ne te suit pas."},
      {{past(gives(kShe, "give", the("book"), kHe))},
       "She gave him the book.",
       "Elle lui a donné le livre."},
      {{denied(gives(kI, "send", a("letter"), kThey))},
       "I do not send them a letter.",
       "Je ne leur envoie pas de lettre."},
      {{gives(kWe, "show", the("story"), the_many("man"))},
       "We show the story to the men.",
       "Nous montrons l'histoire aux hommes."},
  });
}

TEST_CASE("toy grammar: relative clauses") {
  check_all({
      {{says(who(the("man"), says(the("man"), "eat", the("lemon"))), "sleep")},
       "The man who eats the lemon sleeps.",
       "L'homme qui mange le citron dort."},
      {{says(kI, "invite",
             who(the_many("woman"), denied(past(says(the_many("woman"), "go", the("market"))))))},
       "I invite the women who did not go to the market.",
       "J'invite les femmes qui ne sont pas allées au marché."},
      {{be(that(the_many("key"), past(says(kHe, "lose", the_many("key")))), "black")},
       "The keys that he lost are black.",
       "Les clés qu'il a perdues sont noires."},
      {{says(that(a("cat"), says(the("uncle"), "look", a("cat"))), "run")},
       "A cat that the uncle looks for runs.",
       "Un chat que l'oncle cherche court."},
      {{says(kWe, "find", who(the("house"), be(the("house"), "white")))},
       "We find the house that is white.",
       "Nous trouvons la maison qui est blanche."},
  });
}

TEST_CASE("toy grammar: it and them take the gender of their noun") {
  check_all({
      {{says(kShe, "take", the("letter")), denied(says(kShe, "forget", it(the("letter"))))},
       "She takes the letter but does not forget it.",
       "Elle prend la lettre mais ne l'oublie pas."},
      {{says(the("boy"), "buy", a("hat")), says(the("boy"), "carry", it(a("hat")))},
       "The boy buys a hat and carries it.",
       "Le garçon achète un chapeau et le porte."},
      {{past(says(kThey, "choose", the_many("apple"))),
        past(says(kThey, "eat", it(the_many("apple"))))},
       "They chose the apples and ate them.",
       "Ils ont choisi les pommes et les ont mangées."},
      {{past(says(kI, "find", the("knife"))),
        past(gives(kI, "lend", it(the("knife")), the("girl")))},
       "I found the knife and lent it to the girl.",
       "J'ai trouvé le couteau et l'ai prêté à la fille."},
  });
}

TEST_CASE("toy grammar: combinations of a sentence are those of all its clauses") {
  const Clause seen = past(says(called("Anne"), "see", the("dog")));
  const NounPhrase dog = that(is("big", is("black", a("dog"))), seen);
  const Clause given = gives(of(the("uncle"), is("honest", the("man"))), "give", dog, kShe);
  CHECK(combinations_of({given, says(given.subject, "like", it(a("dog")))}) ==
        std::vector<std::string>{"honest man", "uncle: give", "give dog", "big dog", "black dog",
                                 "Anne: see", "see dog", "give to her", "like it"});
  const Clause red = be(who(the("car"), be(the("car"), "new")), "red");
  CHECK(combinations_of({red}) == std::vector<std::string>{"new car", "red car"});
  const Clause near = where(Where::kNear, is("old", the("hotel")), says(kHe, "sleep"));
  CHECK(combinations_of({near}) == std::vector<std::string>{"old hotel"});
  CHECK(combinations_of({says(the("cat"), "obey", kI)}) ==
        std::vector<std::string>{"cat: obey", "obey me"});
}

TEST_CASE("toy grammar: what it leaves out is refused") {
  CHECK_MESSAGE_THROWN(french({past(be(kI, "happy"))}), "\"be\" has no past");
  CHECK_MESSAGE_THROWN(french({gives(kI, "give", it(the("book")), kHe)}),
                       "object and complement of \"give\" are both pronouns");
}

TEST_CASE("toy lexicon: a word that is not there is named") {
  CHECK_MESSAGE_THROWN(noun("loom"), "toy lexicon: there is no word \"loom\"");
}
