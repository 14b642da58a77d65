// chrF and chrF++: the numbers of sacreBLEU 2.6.
#include "decode/metrics/chrf.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using Texts = std::vector<std::string>;

double of(const std::string& hypothesis, const Texts& references, const ChrfOptions& options = {}) {
  return chrf(chrf_counts(hypothesis, references, options), options);
}

TEST_CASE("chrf: a corpus with two references") {
  const Texts hypotheses = {"The dog bit the man.", "It wasn't surprising.",
                            "The man had just bitten him."};
  const std::vector<Texts> references = {{"The dog bit the man.", "The dog had bit the man."},
                                         {"It was not unexpected.", "No one was surprised."},
                                         {"The man bit him first.", "The man had bitten the dog."}};
  ChrfCounts counts;
  for (std::size_t i = 0; i < 3; ++i) counts += chrf_counts(hypotheses[i], references[i], {});
  CHECK(std::abs(chrf(counts, {}) - 59.7275) < 5e-5);
}

TEST_CASE("chrf: single sentences, the mean over the orders") {
  const ChrfOptions epsilon{.epsilon_smoothing = true};
  CHECK(std::abs(of("Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.",
                    {"Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo "
                     "zemře."},
                    epsilon) -
                 39.14078509) < 1e-6);
  CHECK(std::abs(of("Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.",
                    {"A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali "
                     "lékaři."},
                    epsilon) -
                 31.22557079) < 1e-6);
  CHECK(std::abs(of("Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.",
                    {"Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, "
                     "připomněli."},
                    epsilon) -
                 57.15704367) < 1e-6);
}

TEST_CASE("chrf: white space does not count, and no n-gram is no score") {
  CHECK(of("a b c", {"abc"}) == doctest::Approx(100.0));
  CHECK(of("abcdefg", {"hijklmnop"}) == 0.0);
  CHECK(of("", {"ref"}) == 0.0);
  CHECK(of("ref", {""}) == 0.0);
  CHECK(of("aa", {"ab"}) == doctest::Approx(25.0));  // one of two characters, no pair: two orders
  CHECK(of("aa", {"ab"}, {.epsilon_smoothing = true}) == doctest::Approx(50.0 / 6));
  CHECK(of("a b c", {"abc"}, {.epsilon_smoothing = true}) == doctest::Approx(50.0));
  CHECK(of("x", {"abc", "x", "y"}) == doctest::Approx(100.0));  // the best reference
  CHECK_MESSAGE_THROWN(chrf_counts("a", {}, {}), "chrF: a sentence without a reference");
}

TEST_CASE("chrf++: words and their punctuation count as well") {
  // By hand: 3 of 6, 2 of 5, 1 of 4 and none of characters, 1 of 2 and 0 of 1 of words.
  CHECK(of("the cat", {"the dog"}, {.word_order = 2}) == doctest::Approx(20.625));
  // "man." is two words here, as in the reference.
  const ChrfCounts counts = chrf_counts("the man.", Texts{"the man ."}, {2});
  CHECK(counts.orders[kChrfCharacters].matches == 3);
  CHECK(counts.orders[kChrfCharacters + 1].matches == 2);
  const ChrfCounts front = chrf_counts("(a b)) .", Texts{"( a b) ) ."}, {2});
  CHECK(front.orders[kChrfCharacters].hypothesis == 5);  // ( a b) ) .
  CHECK(front.orders[kChrfCharacters].reference == 6);   // ( a b ) ) .
  CHECK(front.orders[kChrfCharacters].matches == 4);
}

TEST_CASE("chrf: signatures say what was computed") {
  CHECK(chrf_signature(1, {}) == "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no");
  CHECK(chrf_signature({}, {2}) == "nrefs:var|case:mixed|eff:yes|nc:6|nw:2|space:no");
}

}  // namespace
}  // namespace heddle::testing
