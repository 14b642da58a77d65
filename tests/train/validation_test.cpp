// The validation loss does not depend on batches and lanes, and is what the model says.
#include "train/validation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "decode/trained_model.h"
#include "tests/support/runs.h"

using namespace heddle;
using heddle::testing::SmallRun;

TEST_CASE("validation: the loss per token, whatever the batches and lanes") {
  SmallRun small;
  small.train({.set = {"train.dtype=float64", "data.valid.hold_out=0"}});
  const TrainedModel model(small / "run");
  REQUIRE(model.store().dtype() == DType::kFloat64);
  const Corpus corpus{{small / "valid.src", &model.tokenizers().source()},
                      {small / "valid.tgt", &model.tokenizers().target()},
                      {}};
  const OpenedCorpus opened = open_corpus(corpus, small / "tokens", 1);
  const PairSet pairs(opened.cache);

  // Pair by pair, with another way to the probabilities: exp(logits) / sum.
  double sum = 0.0;
  std::int64_t tokens = 0;
  Context context;
  TokenPair pair;
  for (std::int64_t i = 0; i < pairs.size(); ++i) {
    opened.cache.read(i, pair);
    PackedPairs one;
    one.append(pair.source, pair.target, model.transformer().vocabularies().target.start());
    context.begin(Mode::kInference);
    const Memory memory =
        model.transformer().encode(context, {one.source_ids, Sequences(one.source)});
    const Tensor logits = model.transformer().logits(
        context,
        model.transformer().decode(context, {one.target_input, Sequences(one.target)}, memory));
    const std::int64_t classes = logits.shape.columns();
    for (std::size_t row = 0; row < one.target_output.size(); ++row) {
      const double* const scores = logits.as<double>() + static_cast<std::int64_t>(row) * classes;
      double total = 0.0;
      for (std::int64_t c = 0; c < classes; ++c) total += std::exp(scores[c]);
      sum -= scores[one.target_output[row]] - std::log(total);
      ++tokens;
    }
  }
  const double expected = sum / static_cast<double>(tokens);
  for (const int lanes : {1, 3}) {
    for (const std::int64_t batch_tokens : {1, 50, 100000}) {
      Lanes in_lanes(model.transformer(), model.store(), {.lanes = lanes, .threads = 2});
      CHECK(validation_loss(in_lanes, pairs, {.batch_tokens = batch_tokens}, 7) ==
            doctest::Approx(expected).epsilon(1e-12));
    }
  }
  Translator translator(model.transformer(), model.tokenizers(), model.translator_options(1));
  const std::vector<Sample> samples = sample_translations(translator, pairs, 2);
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].source + "\n" ==
        small.bytes("valid.src").substr(0, samples[0].source.size() + 1));
  CHECK(samples[1].translation == translator(std::vector{samples[1].source})[0].text());
  CHECK(sample_translations(translator, pairs, 1000).size() == 40);
}
