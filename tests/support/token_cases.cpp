#include <cmath>

#include "autograd/ops/arithmetic.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/pointwise.h"
#include "autograd/ops/reduction.h"
#include "autograd/ops/shaping.h"
#include "tests/support/masks.h"
#include "tests/support/op_cases.h"
#include "tests/support/random_values.h"

namespace heddle::testing {

namespace {

std::vector<std::int32_t> random_ids(std::int64_t count, std::int64_t below) {
  std::vector<std::int32_t> ids;
  for (const double x : random_values(count, 77, 0.0, static_cast<double>(below))) {
    ids.push_back(static_cast<std::int32_t>(x));
  }
  return ids;
}

struct Tokens {
  std::string label;
  std::vector<std::int32_t> lengths;
  std::int64_t vocabulary, columns;
  bool learned = false;  // positions are an input
  double dropout = 0.0;
  std::int32_t zero_id = -1;
  bool large = false;
};

// 0 for tokens of the zero id, else 1, as a column.
Tensor alive(Context& c, const std::vector<std::int32_t>& ids, std::int32_t zero_id, DType dtype) {
  const Tensor column = c.empty({static_cast<std::int64_t>(ids.size()), 1}, dtype);
  dispatch(dtype, "alive", [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t i = 0; i < ids.size(); ++i)
      column.as<T>()[i] = ids[i] == zero_id ? T{0} : T{1};
  });
  return column;
}

void add_embed(std::vector<OpCase>& cases, const Tokens& s) {
  const std::vector<Sequence> sequences = packed(s.lengths);
  const std::vector<std::int32_t> ids = random_ids(total_length(sequences), s.vocabulary);
  const std::int64_t longest = *std::max_element(s.lengths.begin(), s.lengths.end()) + 2;
  std::vector<OpInput> inputs{{"table", {s.vocabulary, s.columns}}};
  if (s.learned) inputs.push_back({"positions", {longest, s.columns}});
  EmbedOptions options;
  options.scale = std::sqrt(static_cast<double>(s.columns));
  options.dropout = s.dropout;
  options.zero_id = s.zero_id;
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return embed(c, in[0], s.learned ? in[1] : Tensor{}, ids, sequences, options);
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    Tensor y = scale(c, gather(c, in[0], 0, ids), options.scale);
    y = mul(c, y, alive(c, ids, s.zero_id, y.dtype));
    if (s.learned) {
      std::vector<std::int32_t> places;
      for (const Sequence& sequence : sequences) {
        for (std::int32_t p = 0; p < sequence.length; ++p) places.push_back(p);
      }
      y = add(c, y, gather(c, in[1], 0, places));
    }
    if (s.dropout == 0.0) return y;
    return mul(c, y, dropout_mask(c, y.shape, y.dtype, s.dropout));
  };
  cases.push_back({"embed", s.label, inputs, run, nullptr, composed, s.large, 1e-5});
}

struct Loss {
  std::string label;
  std::int64_t rows, columns, vocabulary;
  double smoothing = 0.0;
  bool bias = false;
  std::int64_t classes = 0;
  bool large = false;
};

// One-hot targets plus smoothing, times the row weights: what the log-probabilities are weighted
// by.
Tensor target_weights(Context& c, const Loss& s, std::int64_t classes,
                      const std::vector<std::int32_t>& targets, const std::vector<double>& weights,
                      DType dtype) {
  const Tensor result = c.empty({s.rows, classes}, dtype);
  dispatch(dtype, "targets", [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < s.rows; ++i) {
      const auto row = static_cast<std::size_t>(i);
      for (std::int64_t j = 0; j < classes; ++j) {
        const double hit = j == targets[row] ? 1.0 - s.smoothing : 0.0;
        const double share = hit + s.smoothing / static_cast<double>(classes);
        result.as<T>()[i * classes + j] = static_cast<T>(-weights[row] * share);
      }
    }
  });
  return result;
}

void add_cross_entropy(std::vector<OpCase>& cases, const Loss& s) {
  const std::int64_t classes = s.classes > 0 ? s.classes : s.vocabulary;
  const std::vector<std::int32_t> targets = random_ids(s.rows, classes);
  const std::vector<double> weights = random_values(s.rows, 5, 0.1, 1.0);
  std::vector<OpInput> inputs{{"x", {s.rows, s.columns}}, {"weight", {s.vocabulary, s.columns}}};
  if (s.bias) inputs.push_back({"bias", {s.vocabulary}});
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return cross_entropy(c, in[0], in[1], s.bias ? in[2] : Tensor{}, targets, weights,
                         {s.smoothing, s.classes});
  };
  const auto composed = [=](Context& c, std::span<const Tensor> in) {
    Tensor logits = linear(c, in[0], in[1], s.bias ? in[2] : Tensor{});
    if (classes < s.vocabulary) logits = slice(c, logits, 1, 0, classes);
    const Tensor share = target_weights(c, s, classes, targets, weights, logits.dtype);
    return sum_all(c, mul(c, log_softmax(c, logits), share));
  };
  cases.push_back({"cross_entropy", s.label, inputs, run, nullptr, composed, s.large, 1e-4});
}

void add_sinusoids(std::vector<OpCase>& cases, std::int64_t length, std::int64_t d_model) {
  // The table times a learned factor, so that the case has an input.
  const auto run = [=](Context& c, std::span<const Tensor> in) {
    return mul(c, sinusoidal_positions(c, length, d_model, in[0].dtype), in[0]);
  };
  const Oracle naive = [=](std::span<const Values> in) {
    std::vector<double> out;
    for (std::int64_t p = 0; p < length; ++p) {
      for (std::int64_t i = 0; i < d_model; ++i) {
        const auto j = static_cast<double>(i % (d_model / 2));
        const double angle =
            static_cast<double>(p) * std::pow(10000.0, -2.0 * j / static_cast<double>(d_model));
        out.push_back(in[0][0] * (i < d_model / 2 ? std::sin(angle) : std::cos(angle)));
      }
    }
    return out;
  };
  cases.push_back({"sinusoidal_positions", "", {{"factor", {}}}, run, naive, nullptr});
}

}  // namespace

void add_token_cases(std::vector<OpCase>& cases) {
  add_embed(cases, {"one token", {1}, 1, 1});
  add_embed(cases, {"uneven", {3, 1, 7}, 5, 6});
  add_embed(cases, {"positions", {3, 1, 7}, 5, 6, true});
  add_embed(cases, {"dropout", {9, 1, 4}, 4, 17, true, 0.3});
  add_embed(cases, {"zero id", {9, 2, 4}, 4, 5, true, 0.2, 3});
  std::vector<std::int32_t> many(256, 16);
  add_embed(cases, {"large", many, 1000, 128, true, 0.1, 999, true});
  add_cross_entropy(cases, {"one row", 1, 1, 1});
  add_cross_entropy(cases, {"plain", 9, 4, 7});
  add_cross_entropy(cases, {"smoothing", 9, 4, 7, 0.1});
  add_cross_entropy(cases, {"bias", 5, 3, 19, 0.1, true});
  add_cross_entropy(cases, {"fewer classes", 6, 4, 8, 0.2, true, 7});
  add_cross_entropy(cases, {"large", 4096, 128, 1000, 0.1, false, 999, true});
  add_sinusoids(cases, 1, 2);
  add_sinusoids(cases, 5, 8);
}

}  // namespace heddle::testing
