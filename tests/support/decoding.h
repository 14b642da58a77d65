// A small model whose outputs end after a while, and sentences for it to decode.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "decode/decoding.h"
#include "tests/support/models.h"

namespace heddle::testing {

struct DecodingExample {
  Vocabulary vocabulary;
  TestModel model;
  Sentences source;
  DecodingSpace space;

  explicit DecodingExample(std::int32_t vocabulary_size,
                           const std::vector<std::int32_t>& lengths = {4, 1, 9, 2, 6, 3, 5},
                           std::uint64_t seed = 1, double end_bias = 0.5)
      : vocabulary{vocabulary_size},
        model(R"({"d_model": 16, "heads": 2, "d_ff": 24, "layers": 2, "initialisation": "normal",
                  "init_std": 0.6, "output_bias": true})",
              DType::kFloat64, {vocabulary, vocabulary}, seed),
        source(lengths, vocabulary, 3) {
    const Parameter bias = model.store.find("output.bias");
    static_cast<double*>(model.store.data(bias))[Vocabulary::kEnd] += end_bias;
  }

  /// What the teacher-forced pass over `output` says, for sentence i: log-probabilities [tokens of
  /// the output, classes].
  std::vector<std::vector<double>> log_probabilities(std::size_t i,
                                                     const std::vector<std::int32_t>& output) {
    Sentences from, target;
    from.append(source.sentence(i));
    target.append(output);
    Context c;
    c.begin(Mode::kInference);
    const Transformer& t = model.transformer;
    const Tensor logits =
        t.logits(c, t.decode(c, target.shifted(vocabulary).tokens(), t.encode(c, from.tokens())));
    std::vector<std::vector<double>> rows;
    for (std::int64_t row = 0; row < logits.shape[0]; ++row) {
      const double* scores = logits.as<double>() + row * logits.shape.columns();
      double sum = 0.0;
      for (std::int64_t k = 0; k < logits.shape.columns(); ++k) sum += std::exp(scores[k]);
      auto& values = rows.emplace_back(scores, scores + logits.shape.columns());
      for (double& value : values) value -= std::log(sum);
    }
    return rows;
  }
  /// Of a whole hypothesis for sentence i, the end counted where it is there.
  double log_probability(std::size_t i, const Hypothesis& h) {
    std::vector<std::int32_t> output = h.ids;
    if (h.finished) output.push_back(Vocabulary::kEnd);
    const auto rows = log_probabilities(i, output);
    double sum = 0.0;
    for (std::size_t t = 0; t < output.size(); ++t) {
      sum += rows[t][static_cast<std::size_t>(output[t])];
    }
    return sum;
  }
};

inline bool same(const Hypothesis& a, const Hypothesis& b) {
  return a.ids == b.ids && a.log_probability == b.log_probability && a.score == b.score &&
         a.finished == b.finished;
}

/// A limit of so many tokens, whatever the source.
inline LengthLimit limit_of(std::int64_t tokens) {
  LengthLimit limit;
  limit.factor = 0.0;
  limit.extra = tokens;
  return limit;
}

}  // namespace heddle::testing
