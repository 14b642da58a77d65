#include "data/toy/lexicon.h"

namespace heddle::toy {

namespace {

constexpr Frame kIntransitive = Frame::kIntransitive;
constexpr Frame kDirect = Frame::kDirect;
constexpr Frame kIndirect = Frame::kIndirect;
constexpr Frame kGive = Frame::kGive;
constexpr Frame kMotion = Frame::kMotion;

// clang-format off
constexpr Verb kVerbs[] = {
    {"see", "sees", "saw", "", "vu", "", kDirect, false, kLiving, kAnything,
     {"vois", "vois", "voit", "voyons", "voient"}},
    {"like", "likes", "liked", "", "aimé", "", kDirect, false, kLiving, kAnything,
     {"aime", "aimes", "aime", "aimons", "aiment"}},
    {"find", "finds", "found", "", "trouvé", "", kDirect, false, kLiving, kAnything,
     {"trouve", "trouves", "trouve", "trouvons", "trouvent"}},
    {"look", "looks", "looked", "for", "cherché", "", kDirect, false, kLiving, kAnything,
     {"cherche", "cherches", "cherche", "cherchons", "cherchent"}},
    {"watch", "watches", "watched", "", "regardé", "", kDirect, false, kLiving, kLiving,
     {"regarde", "regardes", "regarde", "regardons", "regardent"}},
    {"listen", "listens", "listened", "to", "écouté", "", kDirect, false, kPeople, kLiving,
     {"écoute", "écoutes", "écoute", "écoutons", "écoutent"}},
    {"wait", "waits", "waited", "for", "attendu", "", kDirect, false, kLiving, kLiving,
     {"attends", "attends", "attend", "attendons", "attendent"}},
    {"follow", "follows", "followed", "", "suivi", "", kDirect, false, kLiving, kLiving,
     {"suis", "suis", "suit", "suivons", "suivent"}},
    {"help", "helps", "helped", "", "aidé", "", kDirect, false, kPeople, kLiving,
     {"aide", "aides", "aide", "aidons", "aident"}},
    {"call", "calls", "called", "", "appelé", "", kDirect, false, kPeople, kLiving,
     {"appelle", "appelles", "appelle", "appelons", "appellent"}},
    {"invite", "invites", "invited", "", "invité", "", kDirect, false, kPeople, kPeople,
     {"invite", "invites", "invite", "invitons", "invitent"}},
    {"eat", "eats", "ate", "", "mangé", "", kDirect, false, kLiving, kFood,
     {"mange", "manges", "mange", "mangeons", "mangent"}},
    {"buy", "buys", "bought", "", "acheté", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"achète", "achètes", "achète", "achetons", "achètent"}},
    {"sell", "sells", "sold", "", "vendu", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"vends", "vends", "vend", "vendons", "vendent"}},
    {"take", "takes", "took", "", "pris", "", kDirect, false, kPeople, kGoods,
     {"prends", "prends", "prend", "prenons", "prennent"}},
    {"lose", "loses", "lost", "", "perdu", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"perds", "perds", "perd", "perdons", "perdent"}},
    {"choose", "chooses", "chose", "", "choisi", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"choisis", "choisis", "choisit", "choisissons", "choisissent"}},
    {"hide", "hides", "hid", "", "caché", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"cache", "caches", "cache", "cachons", "cachent"}},
    {"wash", "washes", "washed", "", "lavé", "", kDirect, false, kPeople, kFood | kThing | kAnimal,
     {"lave", "laves", "lave", "lavons", "lavent"}},
    {"carry", "carries", "carried", "", "porté", "", kDirect, false, kPeople, kGoods | kAnimal,
     {"porte", "portes", "porte", "portons", "portent"}},
    {"forget", "forgets", "forgot", "", "oublié", "", kDirect, false, kPeople, kGoods,
     {"oublie", "oublies", "oublie", "oublions", "oublient"}},
    {"draw", "draws", "drew", "", "dessiné", "", kDirect, false, kPeople, kAnything,
     {"dessine", "dessines", "dessine", "dessinons", "dessinent"}},
    {"give", "gives", "gave", "", "donné", "à", kGive, false, kPeople, kGoods | kAnimal,
     {"donne", "donnes", "donne", "donnons", "donnent"}},
    {"show", "shows", "showed", "", "montré", "à", kGive, false, kPeople, kGoods | kAnimal,
     {"montre", "montres", "montre", "montrons", "montrent"}},
    {"send", "sends", "sent", "", "envoyé", "à", kGive, false, kPeople, kGoods,
     {"envoie", "envoies", "envoie", "envoyons", "envoient"}},
    {"lend", "lends", "lent", "", "prêté", "à", kGive, false, kPeople, kText | kThing | kAnimal,
     {"prête", "prêtes", "prête", "prêtons", "prêtent"}},
    {"talk", "talks", "talked", "to", "parlé", "à", kIndirect, false, kPeople, kLiving,
     {"parle", "parles", "parle", "parlons", "parlent"}},
    {"answer", "answers", "answered", "", "répondu", "à", kIndirect, false, kPeople, kPeople,
     {"réponds", "réponds", "répond", "répondons", "répondent"}},
    {"obey", "obeys", "obeyed", "", "obéi", "à", kIndirect, false, kLiving, kPeople,
     {"obéis", "obéis", "obéit", "obéissons", "obéissent"}},
    {"sleep", "sleeps", "slept", "", "dormi", "", kIntransitive, false, kLiving, kNothing,
     {"dors", "dors", "dort", "dormons", "dorment"}},
    {"sing", "sings", "sang", "", "chanté", "", kIntransitive, false, kLiving, kNothing,
     {"chante", "chantes", "chante", "chantons", "chantent"}},
    {"work", "works", "worked", "", "travaillé", "", kIntransitive, false, kPeople, kNothing,
     {"travaille", "travailles", "travaille", "travaillons", "travaillent"}},
    {"run", "runs", "ran", "", "couru", "", kIntransitive, false, kLiving, kNothing,
     {"cours", "cours", "court", "courons", "courent"}},
    {"fall", "falls", "fell", "", "tombé", "", kIntransitive, true, kLiving, kNothing,
     {"tombe", "tombes", "tombe", "tombons", "tombent"}},
    {"go", "goes", "went", "to", "allé", "à", kMotion, true, kLiving, kPlace,
     {"vais", "vas", "va", "allons", "vont"}},
    {"come", "comes", "came", "from", "venu", "de", kMotion, true, kLiving, kPlace,
     {"viens", "viens", "vient", "venons", "viennent"}},
    {"arrive", "arrives", "arrived", "at", "arrivé", "à", kMotion, true, kLiving, kPlace,
     {"arrive", "arrives", "arrive", "arrivons", "arrivent"}},
    {"enter", "enters", "entered", "", "entré", "dans", kMotion, true, kLiving, kPlace,
     {"entre", "entres", "entre", "entrons", "entrent"}},
    {"stay", "stays", "stayed", "in", "resté", "dans", kMotion, true, kLiving, kPlace,
     {"reste", "restes", "reste", "restons", "restent"}},
};
// clang-format on

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace heddle::toy
