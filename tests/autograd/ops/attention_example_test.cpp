// Attention by hand: three words with four features each, one head, and identity matrices as
// projections, so that queries, keys and values are the words themselves.
//
//   THE = [1 0 1 0]    CAT = [0 1 0 1]    SAT = [1 1 1 1]
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/ops.h"

using namespace heddle;

namespace {

const std::vector<double> kWords = {1, 0, 1, 0,   // THE
                                    0, 1, 0, 1,   // CAT
                                    1, 1, 1, 1};  // SAT
const std::vector<double> kIdentity = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};

void check_matrix(const Tensor& tensor, const std::vector<double>& expected) {
  REQUIRE(tensor.elements() == static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(tensor.value(static_cast<std::int64_t>(i)) ==
          doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("attention by hand: THE CAT SAT") {
  Context c;
  c.begin(Mode::kInference);
  const Tensor words = c.constant({3, 4}, std::span<const double>(kWords));
  const Tensor identity = c.constant({4, 4}, std::span<const double>(kIdentity));

  // Query, key and value of each word, with Wq = Wk = Wv = I.
  const Tensor query = linear(c, words, identity);
  const Tensor key = linear(c, words, identity);
  const Tensor value = linear(c, words, identity);

  // How well does each query (row) fit each key (column)? The dot products:
  const Tensor scores = matmul(c, query, transpose(c, key));
  check_matrix(scores, {2, 0, 2,    // THE fits itself and SAT
                        0, 2, 2,    // CAT fits itself and SAT
                        2, 2, 4});  // SAT fits itself best

  // Scaled by 1 / sqrt(d_k) = 1 / 2, so that their size does not grow with d_k.
  const Tensor scaled = scale(c, scores, 1 / std::sqrt(4.0));
  check_matrix(scaled, {1, 0, 1, 0, 1, 1, 1, 1, 2});

  // Softmax makes each row a distribution over the words.
  const double e = std::exp(1.0), rare = 1 / (1 + 2 * e), often = e / (1 + 2 * e);
  const double others = e / (2 * e + e * e), itself = e * e / (2 * e + e * e);
  const std::vector<double> distribution = {often,  rare,   often,    // THE
                                            rare,   often,  often,    // CAT
                                            others, others, itself};  // SAT
  check_matrix(softmax(c, scaled), distribution);
  CHECK(often == doctest::Approx(0.42232));
  CHECK(itself == doctest::Approx(0.57612));

  // The result of a word is the sum of the values, weighted so. THE and SAT have the first and the
  // third feature, CAT and SAT the second and the fourth.
  const double most = 2 * often, some = rare + often, all = others + itself;
  const std::vector<double> result = {most, some, most, some,  // THE
                                      some, most, some, most,  // CAT
                                      all,  all,  all,  all};  // SAT
  check_matrix(matmul(c, softmax(c, scaled), value), result);

  // The operation does all of this at once, and shows its weights when asked.
  const std::vector<Sequence> sentence = {{0, 3}};
  Tensor weights;
  AttentionOptions options;
  options.heads = 1;
  options.head_dim = 4;
  options.weights = &weights;
  check_matrix(attention(c, {query}, {key}, {value}, sentence, sentence, options), result);
  check_matrix(weights, distribution);

  // Causal: THE sees itself alone, CAT sees THE and itself.
  options.causal = true;
  attention(c, {query}, {key}, {value}, sentence, sentence, options);
  check_matrix(weights, {1, 0, 0,                      //
                         1 / (1 + e), e / (1 + e), 0,  //
                         others, others, itself});
}
