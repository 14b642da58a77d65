// The validation loss does not depend on batches and lanes, and is what the model says.
#include "train/validation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "decode/trained_model.h"
#include "tests/support/runs.h"
#include "train/run_history.h"

using namespace heddle;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;

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

TEST_CASE("validation: metrics compare with all right translations of a line") {
  SmallRun small;
  // Line 1 is left out: pairs and lines have other numbers.
  for (const char* file : {"valid.src", "valid.tgt"}) {
    write_bytes(small / file, "\n" + small.bytes(file));
  }
  std::istringstream targets(small.bytes("valid.tgt"));
  std::string far, others, none;  // no translation is as near to that one as to its target
  for (int i = 0; i < 200; ++i) far += "zzz ";
  for (std::string target; std::getline(targets, target);) {
    others += far + "\t\t" + target + "\n";
    none += "zzz\n";
  }
  const auto error_rate = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> set = {"train.steps=80", "train.metrics=[\"per\"]"};
    set.insert(set.end(), more.begin(), more.end());
    small.train({.run = run, .set = set});
    return read_history(small / run.c_str()).validation.at("per").back().value;
  };
  const double alone = error_rate("alone", {});
  const std::string references = "data.valid.references=" + (small / "refs").string();
  write_bytes(small / "refs", others);
  CHECK(error_rate("others", {references}) == alone);
  const std::vector<std::string> goes_on = {references, "train.steps=81",
                                            "train.metrics=[\"per\"]"};
  write_bytes(small / "refs", none);
  CHECK(contains(failure<DataError>([&] {
                   small.train(
                       {.run = "others", .set = goes_on, .open = RunFolder::Open::kContinue});
                 }),
                 "the validation text"));
  CHECK(error_rate("none", {references}) >= 100.0);
  write_bytes(small / "refs", "un\n");
  CHECK(contains(failure<DataError>([&] { error_rate("short", {references}); }),
                 "refs has 1 lines, but " + (small / "valid.tgt").string() + " has 41; "));
  write_bytes(small / "refs", others + "un\nun\n");
  CHECK(contains(failure<DataError>([&] { error_rate("long", {references}); }),
                 "refs has more lines, but " + (small / "valid.tgt").string() + " has 41; "));
  CHECK(contains(failure<ConfigError>(
                     [&] { error_rate("lonely", {"data.valid={\"references\": \"refs\"}"}); }),
                 "data.valid.references: \"source\" and \"target\" are missing beside it"));
}
