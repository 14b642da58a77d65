// One tensor as several inputs of one operation: its gradient is the sum of what the inputs would
// get one by one, wherever the table of cases has inputs of the same shape, and in attention also
// where only memory is shared.
#include <doctest/doctest.h>

#include <numeric>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "autograd/ops/ops.h"
#include "tests/support/op_cases.h"
#include "tests/support/random_values.h"
#include "tests/support/run_case.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

using Inputs = std::vector<Tensor>;

std::vector<double> read(const Tensor& t) {
  return {t.as<double>(), t.as<double>() + t.elements()};
}

void go_back(Context& c, const Tensor& y) {
  const auto upstream =
      y.elements() == 1 ? std::vector<double>{1.0} : random_values(y.elements(), 9);
  c.tape().backward(c, y, c.constant(y.shape, view(upstream)));
}

// The gradients of inputs i and j of a case whose values are the same, from one tensor or from two.
std::vector<double> gradient_of_pair(const OpCase& op_case, std::size_t i, std::size_t j,
                                     bool one_tensor) {
  Context c;
  c.begin(Mode::kTraining, kCaseKey);
  Inputs in;
  for (std::size_t k = 0; k < op_case.inputs.size(); ++k) {
    const Values values = values_of(op_case.inputs[k == j ? i : k], k == j ? i : k);
    in.push_back(k == j && one_tensor ? in[i] : c.leaf(values.shape, view(values.data)));
  }
  go_back(c, op_case.run(c, in));
  auto gradient = read(c.gradient(in[i]));
  if (one_tensor) return gradient;
  const auto other = read(c.gradient(in[j]));
  for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += other[k];
  return gradient;
}

}  // namespace

TEST_CASE("a slice of the leading axis is a view where nothing is trained, others are copies") {
  Context c;
  c.begin(Mode::kInference);
  std::vector<double> values(24);
  std::iota(values.begin(), values.end(), 0.0);
  const Tensor x = c.view(values.data(), {4, 3, 2}, DType::kFloat64);
  const Tensor rows = slice(c, x, 0, 1, 3), middle = slice(c, x, 1, 1, 3);
  CHECK(rows.shape == Shape{2, 3, 2});
  CHECK(rows.data == values.data() + 6);
  CHECK(slice(c, rows, 0, 1, 2).as<double>()[0] == 12.0);
  CHECK(middle.shape == Shape{4, 2, 2});
  CHECK(middle.as<double>()[4] == 8.0);
  values[8] = -1.0;
  CHECK(rows.as<double>()[2] == -1.0);
  CHECK(middle.as<double>()[4] == 8.0);
}

TEST_CASE("one tensor as two inputs gets the sum of both gradients") {
  std::set<std::string> ops;
  for (const OpCase& op_case : op_cases()) {
    if (op_case.large) continue;
    for (std::size_t j = 1; j < op_case.inputs.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        if (op_case.inputs[i].shape != op_case.inputs[j].shape) continue;
        CAPTURE(op_case.op);
        CAPTURE(op_case.label);
        CAPTURE(op_case.inputs[i].name);
        CAPTURE(op_case.inputs[j].name);
        ops.insert(op_case.op);
        CHECK(worst_difference(gradient_of_pair(op_case, i, j, false),
                               gradient_of_pair(op_case, i, j, true)) <= 1e-13);
      }
    }
  }
  for (const char* const op :
       {"add", "mul", "div", "maximum", "where", "matmul", "concat", "stack", "linear",
        "layer_norm", "residual_norm", "residual", "attention", "cross_entropy"}) {
    CHECK_MESSAGE(ops.contains(op), op);
  }
}

TEST_CASE("one table as words and as positions") {
  const std::vector<std::int32_t> ids{1, 0, 2, 2, 1, 0};
  const std::vector<Sequence> sentences = packed(std::vector<std::int32_t>{3, 1, 2});
  std::vector<double> gradients[2];
  for (const bool copied : {false, true}) {
    Context c;
    c.begin(Mode::kTraining);
    const Tensor table = c.leaf({4, 5}, view(random_values(20, 1)));
    const Tensor positions = copied ? slice(c, table, 0, 0, 4) : table;
    EmbedOptions options;
    options.dropout = 0.25;
    go_back(c, embed(c, table, positions, ids, sentences, options));
    gradients[copied] = read(c.gradient(table));
  }
  CHECK(worst_difference(gradients[1], gradients[0]) <= 1e-13);
}

namespace {

const std::vector<Sequence> kSentences = packed(std::vector<std::int32_t>{3, 1, 2});

AttentionOptions two_heads() {
  AttentionOptions options;
  options.heads = 2;
  options.head_dim = 4;
  options.causal = true;
  return options;
}

Tensor attend(Context& c, const Columns& query, const Columns& key, const Columns& value) {
  return attention(c, query, key, value, kSentences, kSentences, two_heads());
}

Tensor matrix(Context& c, std::int64_t columns, std::uint64_t seed = 1) {
  const auto values = random_values(6 * columns, seed);
  return c.leaf({6, columns}, view(values));
}

using Blocks = std::array<Columns, 3>;

// The gradient of one matrix x of which `blocks` makes query, key and value, once as they are and
// once as copies of their columns.
template <class MakeBlocks>
void check_blocks(std::int64_t columns, const MakeBlocks& make_blocks) {
  std::vector<double> gradients[2];
  for (const bool copied : {false, true}) {
    Context c;
    c.begin(Mode::kTraining);
    const Tensor x = matrix(c, columns);
    Blocks blocks = make_blocks(c, x);
    for (Columns& block : blocks) {
      if (copied) block = {slice(c, block.matrix, 1, block.first, block.first + 8)};
    }
    go_back(c, attend(c, blocks[0], blocks[1], blocks[2]));
    gradients[copied] = read(c.gradient(x));
  }
  CHECK(worst_difference(gradients[1], gradients[0]) <= 1e-13);
}

}  // namespace

TEST_CASE("attention on blocks that overlap") {
  check_blocks(8, [](Context&, const Tensor& x) { return Blocks{{{x, 0}, {x, 0}, {x, 0}}}; });
  check_blocks(11, [](Context&, const Tensor& x) { return Blocks{{{x, 3}, {x, 0}, {x, 1}}}; });
  check_blocks(16, [](Context&, const Tensor& x) { return Blocks{{{x, 0}, {x, 8}, {x, 8}}}; });
  check_blocks(17, [](Context&, const Tensor& x) { return Blocks{{{x, 9}, {x, 1}, {x, 9}}}; });
}

TEST_CASE("attention on blocks side by side that leave columns out") {
  check_blocks(26, [](Context&, const Tensor& x) { return Blocks{{{x, 1}, {x, 18}, {x, 9}}}; });
}

TEST_CASE("attention on one matrix through views of two shapes") {
  std::vector<double> gradients[2];
  for (const bool copied : {false, true}) {
    Context c;
    c.begin(Mode::kTraining);
    const Tensor x = matrix(c, 16);
    const Tensor tall = reshape(c, x, {12, 8});
    const Columns query{copied ? slice(c, x, 0, 0, 6) : x, 8};
    const Columns key{copied ? slice(c, tall, 0, 0, 12) : tall};
    const std::vector<Sequence> keys = packed(std::vector<std::int32_t>{7, 2, 3});
    go_back(c, attention(c, query, key, {c.leaf(tall.shape, view(random_values(96, 2)))},
                         kSentences, keys, two_heads()));
    gradients[copied] = read(c.gradient(x));
  }
  CHECK(worst_difference(gradients[1], gradients[0]) <= 1e-13);
}

TEST_CASE("attention sends nothing through a stopped gradient that shares the memory") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("matrix", {6, 11}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(1);
  // Query or key of one matrix, the other one stopped; columns at the margins belong to neither.
  for (const bool stop_query : {false, true}) {
    std::vector<double> gradients[2];
    for (const bool copied : {false, true}) {
      GradientSlab slab(store);
      std::fill_n(static_cast<double*>(slab.slab()), store.elements(), std::nan(""));
      Context c(slab);
      c.begin(Mode::kTraining);
      const Tensor x = c.use(p);
      const Tensor stopped = stop_gradient(c, copied ? slice(c, x, 0, 0, 6) : x);
      const Columns query{stop_query ? stopped : x, 1}, key{stop_query ? x : stopped, 2};
      go_back(c, attend(c, query, key, {matrix(c, 8, 2)}));
      gradients[copied] = read(c.gradient(x));
    }
    CHECK(gradients[0] == gradients[1]);
    CHECK(gradients[0][0] == 0.0);
    CHECK(std::isfinite(gradients[0][65]));
  }
}

TEST_CASE("attention on a parameter that is used twice") {
  ParameterStore store(DType::kFloat64);
  const Parameter p = store.declare("memory", {6, 8}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(1);
  std::vector<double> gradients[2];
  for (const bool copied : {false, true}) {
    GradientSlab slab(store);
    Context c(slab);
    c.begin(Mode::kTraining);
    const Tensor key = c.use(p), value = c.use(p);
    const auto block = [&](const Tensor& t) { return copied ? slice(c, t, 0, 0, 6) : t; };
    const Tensor y = attend(c, {block(c.use(p))}, {block(key)}, {block(value)});
    go_back(c, y);
    gradients[copied] = read(c.gradient(key));
  }
  CHECK(worst_difference(gradients[1], gradients[0]) <= 1e-13);
}
