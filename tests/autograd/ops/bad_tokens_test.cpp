// Bad sentences, ids, targets and heads, and gradients that cannot be had: one sentence with the
// operation, the shapes and the offending number, before anything is computed.
#include <doctest/doctest.h>

#include <limits>

#include "autograd/ops/ops.h"
#include "tests/support/refusals.h"
#include "tests/support/throws.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

using Ids = std::vector<std::int32_t>;
using Table = std::vector<Sequence>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const Ids kIds{0, 4, 2};
const Table kSentences{{0, 2}, {2, 1}};

// Tables of sentences that do not cover three rows, with what must be said about each.
struct BadTable {
  Table sentences;
  std::string message;
};
const std::vector<BadTable> kBadTables{
    {{}, ": the batch holds no sentence"},
    {{{0, 2}, {2, 2}}, ": the sentences hold 4 tokens, the tensor 3 rows"},
    {{{0, 2}}, ": the sentences hold 2 tokens, the tensor 3 rows"},
    {{{1, 2}}, ": sentence 0 begins at row 1, not at row 0"},
    {{{0, 1}, {2, 1}}, ": sentence 1 begins at row 2, not at row 1"},
    {{{0, 2}, {1, 2}}, ": sentence 1 begins at row 1, not at row 2"},
    {{{0, 2}, {2, 0}, {2, 1}}, ": sentence 1 is empty"},
    {{{0, 4}, {4, -1}}, ": sentence 1 is empty"}};

EmbedOptions with_dropout(double probability) {
  EmbedOptions options;
  options.dropout = probability;
  return options;
}

}  // namespace

TEST_CASE("bad input: embed") {
  Refusals r;
  Context& c = r.c;
  const Tensor table = r.weight();
  const auto ids = [&](const Ids& of) { return embed(c, table, {}, of, kSentences); };
  CHECK_MESSAGE_THROWN(ids({0, 5, 1}), "embed: id 5 at token 1 is outside the vocabulary of 5");
  CHECK_MESSAGE_THROWN(ids({0, 1, -1}), "embed: id -1 at token 2 is outside the vocabulary of 5");
  CHECK_MESSAGE_THROWN(ids({0, 1}), "embed: the sentences hold 3 tokens, the tensor 2 rows");
  for (const BadTable& bad : kBadTables) {
    CHECK_MESSAGE_THROWN(embed(c, table, {}, kIds, bad.sentences), "embed" + bad.message);
  }
  CHECK_MESSAGE_THROWN(embed(c, table, {}, {}, {}), "embed: the batch holds no sentence");
  CHECK_MESSAGE_THROWN(embed(c, r({5}), {}, kIds, kSentences), "embed: table [5] is not a matrix");
  CHECK_MESSAGE_THROWN(embed(c, r({0, 3}), {}, kIds, kSentences), "is outside the vocabulary of 0");
  CHECK_MESSAGE_THROWN(embed(c, r.int32({5, 3}), {}, kIds, kSentences, with_dropout(0.5)),
                       "embed: needs float32 or float64, not [5, 3] of int32");

  const auto positions = [&](const Tensor& of, const Ids& first = {}) {
    EmbedOptions options;
    options.first_positions = first;
    return embed(c, table, of, kIds, kSentences, options);
  };
  CHECK_MESSAGE_THROWN(positions(r({1, 3})),
                       "embed: sentence 0 needs positions 0 to 1 of positions");
  CHECK_MESSAGE_THROWN(positions(r({4, 2})), "embed: positions [4, 2] of float32 do not fit the");
  CHECK_MESSAGE_THROWN(positions(r({3})),
                       "embed: positions [3] of float32 do not fit the table [5");
  CHECK_MESSAGE_THROWN(positions(r.float64({4, 3})),
                       "embed: positions [4, 3] of float64 do not fit");
  CHECK_MESSAGE_THROWN(positions(r({4, 3}), {1, 4}),
                       "embed: sentence 1 needs positions 4 to 4 of positions [4, 3]");
  CHECK_MESSAGE_THROWN(positions(r({4, 3}), {-1, 0}), "embed: sentence 0 needs positions -1 to 0");
  CHECK_MESSAGE_THROWN(positions(r({4, 3}), {std::numeric_limits<std::int32_t>::max(), 0}),
                       "embed: sentence 0 needs positions 2147483647 to 2147483648");
  CHECK_MESSAGE_THROWN(positions(r({4, 3}), {0}), "embed: 1 first positions for 2 sentences");
  for (const double p : {1.0, -0.1, kNan}) {
    CHECK_MESSAGE_THROWN(embed(c, table, {}, kIds, kSentences, with_dropout(p)),
                         "embed: probability of dropout ");
  }

  CHECK_MESSAGE_THROWN(sinusoidal_positions(c, 4, 3, DType::kFloat32),
                       "sinusoidal_positions: [4, 3] needs a positive length and an even d_model");
  CHECK_MESSAGE_THROWN(sinusoidal_positions(c, 0, 4, DType::kFloat32),
                       "sinusoidal_positions: [0, 4");
  CHECK_MESSAGE_THROWN(sinusoidal_positions(c, 4, -2, DType::kFloat32), "sinusoidal_positions: [4");
  CHECK_MESSAGE_THROWN(sinusoidal_positions(c, 4, 2, DType::kInt32),
                       "sinusoidal_positions: needs float32 or float64, not int32");
  r.check_untouched();
}

TEST_CASE("bad input: rotary") {
  Refusals r;
  const auto with = [&](const auto& change) {
    RotaryOptions options;
    options.heads = 2;
    options.head_dim = 4;
    change(options);
    return rotary(r.c, r({3, 9}), kSentences, options);
  };
  const auto size = [&](int heads, std::int64_t head_dim) {
    return with([&](RotaryOptions& o) {
      o.heads = heads;
      o.head_dim = head_dim;
    });
  };
  CHECK_MESSAGE_THROWN(size(0, 4), "rotary: 0 heads, at least 1 is needed");
  CHECK_MESSAGE_THROWN(size(-2, 4), "rotary: -2 heads, at least 1 is needed");
  for (const std::int64_t dim : {3, 1, 0, -2}) {
    CHECK_MESSAGE_THROWN(size(2, dim), "is not a positive even number: columns turn in pairs");
  }
  CHECK_MESSAGE_THROWN(size(3, 4), "rotary: 3 heads of 4 do not fit the columns of x [3, 9]");
  CHECK_MESSAGE_THROWN(size(10, 2), "rotary: 10 heads of 2 do not fit the columns of x [3, 9]");
  CHECK_MESSAGE_THROWN(size(2, std::int64_t{1} << 62), "do not fit the columns of x [3, 9]");
  for (const double base : {0.0, -1.0, kNan, std::numeric_limits<double>::infinity()}) {
    CHECK_MESSAGE_THROWN(with([&](RotaryOptions& o) { o.base = base; }), "rotary: base ");
  }
  const auto first = [&](const Ids& positions) {
    return with([&](RotaryOptions& o) { o.first_positions = positions; });
  };
  CHECK_MESSAGE_THROWN(first({0}), "rotary: 1 first positions for 2 sentences");
  CHECK_MESSAGE_THROWN(first({0, 1, 2}), "rotary: 3 first positions for 2 sentences");
  CHECK_MESSAGE_THROWN(first({4, -1}), "rotary: sentence 1 begins at position -1, the lowest is 0");

  const auto on = [&](const Tensor& x, const Table& sentences = kSentences) {
    RotaryOptions options;
    options.head_dim = 4;
    return rotary(r.c, x, sentences, options);
  };
  for (const BadTable& bad : kBadTables) {
    CHECK_MESSAGE_THROWN(on(r({3, 4}), bad.sentences), "rotary" + bad.message);
  }
  CHECK_MESSAGE_THROWN(on(r({12})), "rotary: x [12] is not a matrix");
  CHECK_MESSAGE_THROWN(on(r({3, 2, 4})), "rotary: x [3, 2, 4] is not a matrix");
  CHECK_MESSAGE_THROWN(on(r({3, 3})), "rotary: 1 heads of 4 do not fit the columns of x [3, 3]");
  CHECK_MESSAGE_THROWN(on(r.int32({3, 4})),
                       "rotary: needs float32 or float64, not [3, 4] of int32");
  CHECK_MESSAGE_THROWN(on({}), "rotary: input 0 is an empty Tensor");
  r.check_untouched();
}

namespace {

// Attention over three tokens with one argument or another replaced.
struct Attention {
  Columns query, key, value;
  Table queries = kSentences, keys = kSentences;
  AttentionOptions options;

  explicit Attention(Refusals& r) : query{r({3, 8})}, key{r({3, 8})}, value{r({3, 8})} {
    options.heads = 2;
    options.head_dim = 4;
    options.dropout = 0.25;
  }
  Tensor run(Context& c) const { return attention(c, query, key, value, queries, keys, options); }
};

}  // namespace

TEST_CASE("bad input: attention, shapes and heads") {
  Refusals r;
  const auto with = [&](const auto& change) {
    Attention a(r);
    change(a);
    return a.run(r.c);
  };
  const auto heads = [&](int count, int kv_heads, std::int64_t head_dim) {
    return with([&](Attention& a) {
      a.options.heads = count;
      a.options.kv_heads = kv_heads;
      a.options.head_dim = head_dim;
    });
  };
  CHECK_MESSAGE_THROWN(heads(0, 0, 4), "attention: 0 key and value heads do not divide 0 heads");
  CHECK_MESSAGE_THROWN(heads(-2, 0, 4), "attention: -2 key and value heads do not divide -2 heads");
  CHECK_MESSAGE_THROWN(heads(4, 3, 2), "attention: 3 key and value heads do not divide 4 heads");
  CHECK_MESSAGE_THROWN(heads(2, 4, 4), "attention: 4 key and value heads do not divide 2 heads");
  CHECK_MESSAGE_THROWN(heads(2, -1, 4), "attention: -1 key and value heads do not divide 2 heads");
  CHECK_MESSAGE_THROWN(heads(2, 0, 0), "attention: head_dim 0 is outside 1 to 256");
  CHECK_MESSAGE_THROWN(heads(2, 0, -4), "attention: head_dim -4 is outside 1 to 256");
  CHECK_MESSAGE_THROWN(heads(2, 0, 257), "attention: head_dim 257 is outside 1 to 256");
  CHECK_MESSAGE_THROWN(heads(3, 0, 4), "attention: query needs 12 columns of [3, 8], from 0 on");
  CHECK_MESSAGE_THROWN(heads(1 << 30, 0, 256), "attention: query needs 274877906944 columns of");

  const auto narrow = r({3, 7}), vector = r({3}), wide = r.float64({3, 8}), longer = r({4, 8});
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.key = {narrow}; }),
                       "attention: key needs 8 columns of [3, 7], from 0 on");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.value.first = 1; }),
                       "attention: value needs 8 columns of [3, 8], from 1 on");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.query.first = -1; }), "of [3, 8], from -1 on");
  CHECK_MESSAGE_THROWN(
      with([&](auto& a) { a.key.first = std::numeric_limits<std::int64_t>::max(); }),
      "attention: key needs 8 columns of [3, 8], from 9223372036854775807 on");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.query = {vector}; }),
                       "attention: query [3] of float32 is not a matrix of float32");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.value = {wide}; }),
                       "attention: value [3, 8] of float64 is not a matrix of float32");
  CHECK_MESSAGE_THROWN(with([&](auto& a) {
                         a.query = a.key = a.value = {r.int32({3, 8})};
                       }),
                       "attention: needs float32 or float64, not [3, 8] of int32");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.value = {longer}; }),
                       "attention: key [3, 8] and value [4, 8] differ in rows");
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.key = {}; }), "attention: input 1 is an empty Tensor");
  for (const double p : {1.0, -0.1, kNan}) {
    CHECK_MESSAGE_THROWN(with([&](auto& a) { a.options.dropout = p; }),
                         "attention: probability of dropout ");
  }
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.options.scale = kNan; }),
                       "attention: scale nan is no number");
  r.check_untouched();
}

TEST_CASE("bad input: attention, sentences and key rows") {
  Refusals r;
  const auto with = [&](const auto& change) {
    Attention a(r);
    change(a);
    return a.run(r.c);
  };
  for (const BadTable& bad : kBadTables) {
    CHECK_MESSAGE_THROWN(with([&](auto& a) { a.queries = bad.sentences; }),
                         "attention: queries" + bad.message);
    CHECK_MESSAGE_THROWN(with([&](auto& a) { a.keys = bad.sentences; }),
                         "attention: keys" + bad.message);
  }
  CHECK_MESSAGE_THROWN(with([](auto& a) {
                         a.keys = {{0, 3}};
                       }),
                       "attention: 2 query sentences, 1 key sentences");
  CHECK_MESSAGE_THROWN(with([](auto& a) {
                         a.keys = {{0, 1}, {1, 2}};
                         a.options.causal = true;
                       }),
                       "attention: sentence 0 has 2 queries but only 1 keys to look back on");
  const Ids rows{0, 1, 2};
  CHECK_MESSAGE_THROWN(with([&](auto& a) { a.options.key_rows = rows; }),
                       "attention: key_rows are for inference, they have no gradient");
  r.check_untouched();

  r.c.begin(Mode::kInference);
  const auto key_rows = [&](const Ids& of, const Table& keys = kSentences) {
    return with([&](auto& a) {
      a.keys = keys;
      a.options.key_rows = of;
    });
  };
  CHECK(key_rows({2, 2, 0}).shape == Shape{3, 8});
  CHECK_MESSAGE_THROWN(key_rows({0, 3, 1}),
                       "attention: key row 3 at 1 is outside the 3 rows of key and value");
  CHECK_MESSAGE_THROWN(key_rows({0, 1, -1}), "attention: key row -1 at 2 is outside the 3 rows");
  CHECK_MESSAGE_THROWN(key_rows({0, 1}),
                       "attention: keys of sentence 1 are outside the 2 key rows");
  CHECK_MESSAGE_THROWN(key_rows({0, 1, 2}, {{0, 1}, {-1, 2}}), "attention: keys of sentence 1 are");
  CHECK_MESSAGE_THROWN(key_rows({0, 1, 2}, {{0, 0}, {1, 2}}), "attention: keys of sentence 0 are");
  CHECK_MESSAGE_THROWN(key_rows({0, 1, 2}, {{0, 3}}), "attention: 2 query sentences, 1 key sent");
}

namespace {

// Cross entropy over three rows with one argument or another replaced.
struct Loss {
  Tensor x, weight, bias;
  Ids targets = kIds;
  std::vector<double> row_weights{1.0, 0.5, 2.0};
  CrossEntropyOptions options;

  explicit Loss(Refusals& r) : x(r({3, 3})), weight(r.weight()), bias(r.bias()) {}
  Tensor run(Context& c) const {
    return cross_entropy(c, x, weight, bias, targets, row_weights, options);
  }
};

}  // namespace

TEST_CASE("bad input: cross_entropy") {
  Refusals r;
  const auto with = [&](const auto& change) {
    Loss loss(r);
    change(loss);
    return loss.run(r.c);
  };
  CHECK_MESSAGE_THROWN(with([](Loss& l) {
                         l.targets = {0, 5, 2};
                       }),
                       "cross_entropy: target 5 of row 1 is outside the 5 classes");
  CHECK_MESSAGE_THROWN(with([](Loss& l) {
                         l.targets = {0, 1, -1};
                       }),
                       "cross_entropy: target -1 of row 2 is outside the 5 classes");
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.options.classes = 4; }),
                       "cross_entropy: target 4 of row 1 is outside the 4 classes");
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.options.classes = 6; }),
                       "cross_entropy: 6 classes for the weight [5, 3]");
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.options.classes = -1; }),
                       "cross_entropy: -1 classes for the weight [5, 3]");
  for (const double smoothing : {-0.1, 1.0, kNan}) {
    CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.options.smoothing = smoothing; }),
                         "cross_entropy: smoothing ");
  }
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.targets.pop_back(); }),
                       "cross_entropy: 2 targets and 3 row weights for x [3, 3]");
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.row_weights.push_back(1.0); }),
                       "cross_entropy: 3 targets and 4 row weights for x [3, 3]");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) {
                         l.x = r({0, 3});
                       }),
                       "cross_entropy: x [0, 3] holds no row");
  CHECK_MESSAGE_THROWN(
      with([&](Loss& l) {
        l.x = r({3, 4});
      }),
      "cross_entropy: x [3, 4] of float32 does not fit the weight [5, 3] of float32");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.x = r({3}); }),
                       "cross_entropy: x [3] of float32 does");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.x = r.float64({3, 3}); }), "of float64 does not fit");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.weight = r({3}); }), "does not fit the weight [3] of");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) {
                         l.x = r({3, 0});
                         l.weight = r({5, 0});
                       }),
                       "cross_entropy: x [3, 0] holds no row");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) {
                         l.weight = r({0, 3});
                         l.bias = {};
                       }),
                       "cross_entropy: 0 classes for");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.bias = r({4}); }),
                       "cross_entropy: bias [4] of float32 does not fit the weight [5, 3]");
  CHECK_MESSAGE_THROWN(
      with([&](Loss& l) { l.bias = r.float64({5}); }),
      "cross_entropy: bias [5] of float64 does not fit the weight [5, 3] of float32");
  CHECK_MESSAGE_THROWN(with([&](Loss& l) { l.x = l.weight = l.bias = r.int32({3, 3}); }), "int32");
  CHECK_MESSAGE_THROWN(with([](Loss& l) { l.weight = {}; }), "cross_entropy: input 1 is an empty");
  r.check_untouched();
}

TEST_CASE("cross_entropy must be the loss itself, and a refused step can be done again") {
  Refusals r;
  Context& c = r.c;
  const auto scaled = [&] { c.backward(scale(c, Loss(r).run(c), 0.5)); };
  CHECK_MESSAGE_THROWN(scaled(), "cross_entropy: its gradient is 0.5, not 1; build a loss that is");
  c.begin(Mode::kTraining);
  const auto twice = [&] {
    const Tensor loss = Loss(r).run(c);
    c.backward(add(c, loss, loss));
  };
  CHECK_MESSAGE_THROWN(twice(), "cross_entropy: its gradient is 2, not 1");
  c.begin(Mode::kTraining);
  const auto forgotten = [&] {
    Loss(r).run(c);
    c.backward(sum_all(c, r({4})));
  };
  CHECK_MESSAGE_THROWN(forgotten(),
                       "cross_entropy: was recorded, but the loss does not depend on it");
  // Its gradients are thrown away with the step; then the same loss is fine.
  c.gradients()->reset();
  c.begin(Mode::kTraining, {.seed = 5, .update = 2});
  r.check_untouched();
  c.begin(Mode::kTraining);
  const Tensor loss = Loss(r).run(c);
  c.backward(loss);
  CHECK(loss.value() > 0.0);
}

TEST_CASE("bad input: gradients of what has none") {
  Refusals r;
  Context& c = r.c;
  const std::vector<float> values{1, 2, 3};
  const Tensor constant = c.constant({3}, std::span<const float>(values));
  CHECK_MESSAGE_THROWN(c.gradient(constant), "tensor [3] has no gradient in this step");
  CHECK_MESSAGE_THROWN(c.gradient(stop_gradient(c, r({2}))), "tensor [2] has no gradient in this");
  CHECK_MESSAGE_THROWN(c.gradient(r.mask({3})), "tensor [3] has no gradient in this step");
  CHECK_MESSAGE_THROWN(c.tape().retain(constant), "tensor [3] has no gradient in this step");
  CHECK_MESSAGE_THROWN(c.gradient({}), "gradient: tensor [] belongs to another context");
  Context other;
  other.begin(Mode::kTraining);
  CHECK_MESSAGE_THROWN(c.gradient(tensor_of(other, {3})),
                       "gradient: tensor [3] belongs to another");
  CHECK_MESSAGE_THROWN(c.backward(tensor_of(other, {})), "backward: tensor [] belongs to another");
  const Tensor x = r({3});
  CHECK_MESSAGE_THROWN(c.tape().backward(c, x, tensor_of(other, {3})),
                       "backward: tensor [3] belongs");
  CHECK_MESSAGE_THROWN(c.tape().backward(c, x, r({2})),
                       "backward: gradient [2] of float32 for a result [3] of float32");
  CHECK_MESSAGE_THROWN(c.tape().backward(c, x, r.float64({3})),
                       "backward: gradient [3] of float64");
  CHECK_MESSAGE_THROWN(c.backward(r.int32({1})), "int32");
  CHECK_MESSAGE_THROWN(c.leaf({2}, std::span<const float>(values)), "3 values for shape [2]");
  const std::vector<std::int32_t> ids{1, 2};
  CHECK_MESSAGE_THROWN(c.leaf({2}, std::span<const std::int32_t>(ids)),
                       "tape: no gradient for int32");
  r.check_untouched();
}
