// Inference: the values of training, rows that do not depend on each other, and the options of
// attention and embed that decoding uses.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "autograd/ops/ops.h"
#include "tests/support/compare.h"
#include "tests/support/op_cases.h"
#include "tests/support/random_values.h"
#include "tests/support/run_case.h"

using namespace heddle;
using namespace heddle::testing;

namespace {

using Ids = std::vector<std::int32_t>;

template <class T>
std::vector<T> copied(const Tensor& t) {
  return {t.as<T>(), t.as<T>() + t.elements()};
}

Tensor random_matrix(Context& c, const Shape& shape, std::uint64_t seed) {
  return c.constant(shape, view(random_values(shape.elements(), seed)));
}

std::vector<double> value_of(const OpCase& op_case, Mode mode, const StepKey& key) {
  Context c;
  c.begin(mode, key);
  const NoGradient none(c);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    const Values values = values_of(op_case.inputs[i], i);
    inputs.push_back(c.constant(values.shape, view(values.data)));
  }
  return copied<double>(op_case.run(c, inputs));
}

// The value in training, where it is the same in every step. Many steps, because one element alone
// is often kept.
std::optional<std::vector<double>> value_without_dropout(const OpCase& op_case) {
  const std::vector<double> first = value_of(op_case, Mode::kTraining, {.update = 0});
  for (std::uint64_t update = 1; update < 40; ++update) {
    if (value_of(op_case, Mode::kTraining, {.update = update}) != first) return std::nullopt;
  }
  return first;
}

// Four query heads that share two key and value heads; key and value are blocks of one matrix.
constexpr int kHeads = 4, kKvHeads = 2;
constexpr std::int64_t kHeadDim = 5, kWidth = kHeads * kHeadDim, kKvWidth = kKvHeads * kHeadDim;

AttentionOptions grouped(bool causal) {
  AttentionOptions options;
  options.heads = kHeads;
  options.kv_heads = kKvHeads;
  options.head_dim = kHeadDim;
  options.causal = causal;
  return options;
}

Tensor attend(Context& c, const Tensor& query, const Tensor& key_value, Sequences queries,
              Sequences keys, const AttentionOptions& options) {
  return attention(c, {query}, {key_value}, {key_value, kKvWidth}, queries, keys, options);
}

Tensor rows_of(Context& c, const Tensor& matrix, const Sequence& s) {
  return slice(c, matrix, 0, s.begin, s.begin + s.length);
}

// 1 for the keys that a query may not look at.
Tensor hidden(Context& c, std::int64_t queries, std::int64_t keys) {
  std::vector<std::uint8_t> mask;
  for (std::int64_t t = 0; t < queries; ++t) {
    for (std::int64_t k = 0; k < keys; ++k) mask.push_back(k > keys - queries + t ? 1 : 0);
  }
  return c.constant({queries, keys}, view(mask));
}

// Weights of one sentence from general operations: [heads, n_q, n_k], flat.
std::vector<double> plain_weights(Context& c, const Tensor& query, const Tensor& key_value,
                                  const Sequence& own, const Sequence& other, double factor,
                                  bool causal) {
  const Tensor queries = rows_of(c, query, own), keys = rows_of(c, key_value, other);
  std::vector<double> result;
  for (std::int64_t h = 0; h < kHeads; ++h) {
    const std::int64_t shared = h / (kHeads / kKvHeads) * kHeadDim;
    const Tensor q = slice(c, queries, 1, h * kHeadDim, (h + 1) * kHeadDim);
    const Tensor k = slice(c, keys, 1, shared, shared + kHeadDim);
    Tensor scores = scale(c, matmul(c, q, transpose(c, k)), factor);
    if (causal) scores = masked_fill(c, scores, hidden(c, own.length, other.length), -1e30);
    const std::vector<double> block = copied<double>(softmax(c, scores));
    result.insert(result.end(), block.begin(), block.end());
  }
  return result;
}

// Attention through `key_rows` equals attention over the rows that they name.
void check_key_rows(const Ids& queries, const Ids& lengths, const std::vector<Sequence>& keys,
                    const Ids& key_rows, std::int64_t cache_rows, bool causal) {
  CAPTURE(causal);
  Context c;
  c.begin(Mode::kInference);
  const std::vector<Sequence> own = packed(queries);
  const Tensor query = random_matrix(c, {total_length(own), kWidth}, 1);
  const Tensor cache = random_matrix(c, {cache_rows, 2 * kKvWidth}, 2);
  Ids named;
  for (const Sequence& s : keys) {
    named.insert(named.end(), key_rows.begin() + s.begin, key_rows.begin() + s.begin + s.length);
  }
  AttentionOptions options = grouped(causal);
  const Tensor gathered =
      attend(c, query, gather(c, cache, 0, named), own, packed(lengths), options);
  options.key_rows = key_rows;
  Tensor weights;
  options.weights = &weights;
  const Tensor through = attend(c, query, cache, own, keys, options);
  CHECK(worst_difference(copied<double>(gathered), copied<double>(through)) <= 1e-13);

  Tensor gathered_weights;
  options.key_rows = {};
  options.weights = &gathered_weights;
  attend(c, query, gather(c, cache, 0, named), own, packed(lengths), options);
  CHECK(worst_difference(copied<double>(gathered_weights), copied<double>(weights)) <= 1e-13);
}

}  // namespace

TEST_CASE("every operation without dropout gives in inference its value of training") {
  int compared = 0, with_dropout = 0;
  for (const OpCase& op_case : op_cases()) {
    if (op_case.large) continue;
    CAPTURE(op_case.op);
    CAPTURE(op_case.label);
    const auto trained = value_without_dropout(op_case);
    ++(trained ? compared : with_dropout);
    if (!trained) continue;
    CHECK(worst_difference(*trained, value_of(op_case, Mode::kInference, kCaseKey)) <= 1e-13);
  }
  CHECK(compared >= 300);
  CHECK(with_dropout >= 40);
}

TEST_CASE("in inference a row of linear does not depend on how many there are, nor where") {
  constexpr std::int64_t all = 81;
  for (const Shape& size : {Shape{128, 128}, Shape{128, 384}, Shape{256, 1024}}) {
    const std::int64_t in = size[0], out = size[1];
    const auto x = random_values<float>(all * in, 1);
    const auto w = random_values<float>(in * out, 2);
    const auto b = random_values<float>(out, 3);
    const auto rows = [&](std::int64_t first, std::int64_t count, int threads) {
      Context c(threads);
      c.begin(Mode::kInference);
      const auto part = std::span(x).subspan(static_cast<std::size_t>(first * in),
                                             static_cast<std::size_t>(count * in));
      return copied<float>(linear(c, c.constant({count, in}, part), c.constant({out, in}, view(w)),
                                  c.constant({out}, view(b)), Activation::kGelu));
    };
    const std::vector<float> whole = rows(0, all, 1);
    for (std::int64_t m = 1; m <= 64; ++m) {
      CAPTURE(m);
      const std::int64_t first = m * 5 % 17;
      const auto begin = whole.begin() + first * out;
      const std::vector<float> expected(begin, begin + m * out);
      CHECK((rows(first, m, 1 + static_cast<int>(m % 2)) == expected));
    }
  }
}

TEST_CASE("attention through key_rows equals attention over gathered rows") {
  const Ids lengths{5, 90, 3};
  const Ids same_row(98);
  // Neighbours share rows, as hypotheses of one beam do.
  Ids permuted(98);
  for (std::size_t j = 0; j < permuted.size(); ++j) {
    permuted[j] = static_cast<std::int32_t>(j * 37 % 60);
  }
  const std::vector<Sequence> overlapping{{2, 5}, {0, 90}, {4, 3}};
  for (const Ids& queries : {Ids{1, 1, 1}, Ids{2, 40, 3}, Ids{5, 90, 3}}) {
    for (const bool causal : {false, true}) {
      check_key_rows(queries, lengths, packed(lengths), permuted, 61, causal);
      check_key_rows(queries, lengths, packed(lengths), same_row, 1, causal);
      check_key_rows(queries, lengths, overlapping, permuted, 60, causal);
    }
  }
}

TEST_CASE("attention gives its weights, before dropout") {
  const std::vector<Sequence> own = packed(Ids{3, 1, 9, 1}), other = packed(Ids{4, 1, 40, 6});
  for (const Mode mode : {Mode::kInference, Mode::kTraining}) {
    for (const bool causal : {false, true}) {
      for (const double factor : {0.0, 0.7}) {
        Context c;
        c.begin(mode, kCaseKey);
        const Tensor query = random_matrix(c, {14, kWidth}, 1);
        const Tensor key_value = random_matrix(c, {51, 2 * kKvWidth}, 2);
        AttentionOptions options = grouped(causal);
        options.scale = factor;
        options.dropout = 0.4;
        Tensor weights;
        options.weights = &weights;
        attend(c, query, key_value, own, other, options);
        CHECK_FALSE(weights.needs_gradient());
        const double used = factor != 0.0 ? factor : 1.0 / std::sqrt(double{kHeadDim});
        std::vector<double> expected;
        for (std::size_t s = 0; s < own.size(); ++s) {
          const auto block = plain_weights(c, query, key_value, own[s], other[s], used, causal);
          expected.insert(expected.end(), block.begin(), block.end());
          double sum = 0.0;
          for (std::size_t i = 0; i < block.size(); ++i) {
            const std::size_t place = expected.size() - block.size() + i;
            sum += weights.value(static_cast<std::int64_t>(place));
            if ((i + 1) % static_cast<std::size_t>(other[s].length) != 0) continue;
            CHECK(std::abs(sum - 1.0) <= 1e-13);
            sum = 0.0;
          }
        }
        CHECK(worst_difference(expected, copied<double>(weights)) <= 1e-13);
      }
    }
  }
}

TEST_CASE("asking for the weights does not change attention or its gradient") {
  const std::vector<Sequence> own = packed(Ids{3, 1, 9});
  const auto run = [&](bool ask, double dropout) {
    Context c;
    c.begin(Mode::kTraining, kCaseKey);
    const Tensor x = c.leaf({13, kWidth}, view(random_values(13 * kWidth, 1)));
    AttentionOptions options = grouped(true);
    options.dropout = dropout;
    Tensor weights;
    if (ask) options.weights = &weights;
    const Tensor y = attention(c, {x}, {x, 0}, {x, kKvWidth}, own, own, options);
    c.backward(sum_all(c, mul(c, y, y)));
    return std::pair{copied<double>(y), copied<double>(c.gradient(x))};
  };
  CHECK(run(true, 0.3) == run(false, 0.3));
  CHECK(run(true, 0.3).first != run(true, 0.0).first);
}

TEST_CASE("in inference a scale is a factor of the query, and kv_heads are repeated heads") {
  Context c;
  c.begin(Mode::kInference);
  for (const Ids& queries : {Ids{1, 1, 1}, Ids{3, 1, 9}}) {
    const std::vector<Sequence> own = packed(queries), other = packed(Ids{4, 1, 40});
    const Tensor query = random_matrix(c, {total_length(own), kWidth}, 1);
    const Tensor key_value = random_matrix(c, {45, 2 * kKvWidth}, 2);
    AttentionOptions options = grouped(true);
    const Tensor scaled = scale(c, query, 0.37 * std::sqrt(double{kHeadDim}));
    const Tensor by_query = attend(c, scaled, key_value, own, other, options);
    options.scale = 0.37;
    const Tensor by_option = attend(c, query, key_value, own, other, options);
    CHECK(worst_difference(copied<double>(by_query), copied<double>(by_option)) <= 1e-13);

    // Query heads 0 and 1 look at the first key and value head, 2 and 3 at the second.
    std::vector<Tensor> blocks;
    for (const std::int64_t head : {0, 0, 1, 1, 2, 2, 3, 3}) {
      blocks.push_back(slice(c, key_value, 1, head * kHeadDim, (head + 1) * kHeadDim));
    }
    const Tensor repeated = concat(c, blocks, 1);
    options.kv_heads = 0;
    const Tensor full = attention(c, {query}, {repeated}, {repeated, kWidth}, own, other, options);
    CHECK(worst_difference(copied<double>(full), copied<double>(by_option)) <= 1e-13);
  }
}

TEST_CASE_TEMPLATE("embed step by step has the bits of the full pass", T, float, double) {
  const Ids lengths{3, 1, 7}, ids{4, 0, 9, 2, 10, 3, 3, 5, 1, 0, 7};
  const std::vector<Sequence> whole = packed(lengths);
  Context c;
  c.begin(Mode::kInference);
  const Tensor table = c.constant({11, 6}, view(random_values<T>(66, 1)));
  const Tensor positions = c.constant({9, 6}, view(random_values<T>(54, 2)));
  EmbedOptions options;
  options.scale = std::sqrt(6.0);
  options.zero_id = 3;
  options.dropout = 0.5;  // off in inference
  const std::vector<T> full = copied<T>(embed(c, table, positions, ids, whole, options));
  for (std::int32_t t = 0; t < 7; ++t) {
    CAPTURE(t);
    Ids now, first;
    std::vector<T> expected;
    for (const Sequence& s : whole) {
      if (t >= s.length) continue;
      now.push_back(ids[static_cast<std::size_t>(s.begin + t)]);
      first.push_back(t);
      const auto row = full.begin() + (s.begin + t) * 6;
      expected.insert(expected.end(), row, row + 6);
    }
    EmbedOptions step = options;
    step.first_positions = first;
    const Tensor y = embed(c, table, positions, now, packed(Ids(now.size(), 1)), step);
    CHECK(copied<T>(y) == expected);
  }
}

TEST_CASE("causal attention step by step with a growing cache equals the full pass") {
  const Ids lengths{3, 1, 40};
  const std::vector<Sequence> whole = packed(lengths);
  Context c;
  c.begin(Mode::kInference);
  const Tensor query = random_matrix(c, {44, kWidth}, 1);
  const Tensor key_value = random_matrix(c, {44, 2 * kKvWidth}, 2);
  AttentionOptions options = grouped(true);
  const std::vector<double> full =
      copied<double>(attend(c, query, key_value, whole, whole, options));

  std::vector<double> cache;    // rows in the order of the steps
  std::vector<Ids> history(3);  // of every sentence, its rows in the cache
  std::vector<double> steps(full.size(), std::nan(""));
  for (std::int32_t t = 0; t < 40; ++t) {
    Ids now, keys, key_rows;
    for (std::size_t s = 0; s < whole.size(); ++s) {
      if (t >= whole[s].length) continue;
      now.push_back(whole[s].begin + t);
      const double* const row = key_value.as<double>() + now.back() * 2 * kKvWidth;
      history[s].push_back(static_cast<std::int32_t>(cache.size() / (2 * kKvWidth)));
      cache.insert(cache.end(), row, row + 2 * kKvWidth);
      keys.push_back(t + 1);
      key_rows.insert(key_rows.end(), history[s].begin(), history[s].end());
    }
    const auto cached = static_cast<std::int64_t>(cache.size()) / (2 * kKvWidth);
    options.key_rows = key_rows;
    const Tensor memory = c.view(cache.data(), {cached, 2 * kKvWidth}, DType::kFloat64);
    const Tensor y = attend(c, gather(c, query, 0, now), memory, packed(Ids(now.size(), 1)),
                            packed(keys), options);
    for (std::size_t i = 0; i < now.size(); ++i) {
      std::copy_n(y.as<double>() + static_cast<std::int64_t>(i) * kWidth, kWidth,
                  steps.begin() + now[i] * kWidth);
    }
  }
  CHECK(worst_error(full, steps) <= 1e-12);
}
