// What the config of a training answers to keys of other tools and of other settings.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/runs.h"
#include "train/learner.h"

using namespace heddle;
using heddle::testing::after;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::SmallRun;

namespace {

using Overrides = std::vector<std::string>;

constexpr const char* kAnswering = R"({
  "data": {"train": {"source": "a", "target": "b"}, "valid": {"hold_out": 5}},
  "train": {"steps": 5}
})";

std::string whole_answer(const Overrides& overrides) {
  const ConfigDocument document = ConfigDocument::parse(kAnswering, "test.json", overrides);
  read_whole_config(document.root());
  try {
    document.finish();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

/// The error message about the key of an override, without the place where it was set.
std::string answer_to(const std::string& set, Overrides before = {}) {
  before.push_back(set);
  const std::string key = set.substr(0, set.find('='));
  const std::string message = whole_answer(before), start = "--set " + set + ": " + key + ": ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

}  // namespace

TEST_CASE("config answers: names from other tools lead to keys") {
  constexpr const char* kCases[][2] = {
      {"train.lr", "schedule.learning_rate"},
      {"optimizer.lr", "schedule.learning_rate"},
      {"lr", "schedule.learning_rate"},
      {"optimizer.learning_rate", "schedule.learning_rate"},
      {"train.learning_rate", "schedule.learning_rate"},
      {"train.batch_size", "train.batch_tokens"},
      {"train.max-tokens", "train.batch_tokens"},
      {"model.num_layers", "model.layers"},
      {"model.encoder.num_layers", "model.encoder.layers"},
      {"model.enc-depth", "model.encoder.layers"},
      {"schedule.warmup_steps", "schedule.warmup"},
      {"train.warmup", "schedule.warmup"},
      {"model.ffn_dim", "model.d_ff"},
      {"model.dim_feedforward", "model.d_ff"},
      {"model.nhead", "model.heads"},
      {"model.encoder_attention_heads", "model.encoder.heads"},
      {"train.update_freq", "train.accumulate"},
      {"train.max_grad_norm", "train.clip_norm"},
      {"train.early_stopping_patience", "train.patience"},
      {"train.weight_decay", "optimizer.weight_decay"},
      {"optimizer.adam_betas", "optimizer.betas"},
      {"train.optimizer", "optimizer.type"},
      {"train.lr_scheduler", "schedule.type"},
      {"scheduler", "schedule.type"},
      {"model.vocab_size", "data.tokenizer.vocab_size"},
      {"train.dropout", "model.dropout"},
      {"decode.beam_size", "decode.beam"},
      {"beam", "decode.beam"},
  };
  for (const auto& [name, key] : kCases) {
    const std::string_view given = name;
    CAPTURE(given);
    CHECK(answer_to(std::string(name) + "=1") ==
          "unknown key; did you mean \"" + std::string(key) + "\"?");
  }
  CHECK(answer_to("train.seed=1") == "unknown key; did you mean \"seed\", outside of any section?");
  CHECK(answer_to("train.max_length=1") == "unknown key; did you mean \"data.max_length\"?");
  CHECK(answer_to("scheduler={}") == "unknown key; did you mean \"schedule\"?");
  CHECK(answer_to("train.step=1") == "unknown key; did you mean \"steps\"?");
}

TEST_CASE("config answers: what only validations use needs a validation text") {
  const std::string none = "has no effect: there is no validation text; give data.valid";
  for (const char* set :
       {"train.validate_every=3", "train.validate_every_epochs=1", "train.best_by=bleu",
        "train.metrics=[\"chrf\"]", "train.bleu_tokens=none", "train.validation_beam=2",
        "train.patience=3", "train.sample_translations=0", "train.keep_best=2"}) {
    CAPTURE(set);
    CHECK(answer_to(set, {"data.valid={}"}) == none);
    CHECK(whole_answer({"data={}", set}) == "");  // not the config of a training
  }
  for (const char* set :
       {"train.validate_every=3", "train.validate_every_epochs=1", "train.best_by=bleu",
        "train.metrics=[\"chrf\"]", "train.patience=3", "train.validation_beam=2",
        "train.sample_translations=0", "train.keep_best=2"}) {
    CAPTURE(set);
    CHECK(whole_answer({set}) == "");
    CHECK(whole_answer({"data.valid={\"source\": \"c\", \"target\": \"d\"}", set}) == "");
  }
  for (const char* set : {"train.validate_every=500", "train.best_by=loss", "train.metrics=[]",
                          "train.patience=unlimited"}) {
    CAPTURE(set);
    CHECK(whole_answer({"data.valid={}", set}) == "");  // the default
  }
}

TEST_CASE("config answers: keys of a choice that is not taken have no effect") {
  const std::string none = "has no effect: ";
  CHECK(answer_to("train.bleu_tokens=char") ==
        none + "validations do not measure BLEU; name \"bleu\" in metrics");
  CHECK(whole_answer({"train.best_by=bleu", "train.bleu_tokens=char"}) == "");
  CHECK(answer_to("train.validation_beam=2", {"train.sample_translations=0"}) ==
        none + "validations translate nothing; name one of metrics");
  CHECK(answer_to("train.rollback_factor=0.1", {"train.max_rollbacks=0"}) ==
        none + "max_rollbacks is 0");
  CHECK(contains(
      whole_answer({"data.valid={\"source\":\"c\",\"target\":\"d\",\"references\":\"e\"}"}),
      "data.valid.references: " + none +
          "only metrics compare with them; name one in "
          "train.metrics"));
  CHECK(answer_to("schedule.decay_steps=9") ==
        none + "it is for the types \"cosine\" and \"linear\"");
  CHECK(answer_to("schedule.final_learning_rate=1e-5", {"schedule.type=inverse_sqrt"}) ==
        none + "it is for the types \"cosine\" and \"linear\"");
  CHECK(answer_to("optimizer.momentum=0.5") == none + "it is for the type \"sgd\"");
  CHECK(answer_to("optimizer.betas=[0.9,0.99]", {"optimizer.type=sgd"}) ==
        none + "it is for the types \"adam\" and \"adamw\"");
  CHECK(answer_to("optimizer.eps2=0.1",
                  {"optimizer={\"type\":\"adafactor\",\"scale_parameter\":false}"}) ==
        none + "it is for \"scale_parameter\": true");
  CHECK(answer_to("data.tokenizer.sample=0.1", {"data.tokenizer.type=word"}) ==
        none + "it is for the type \"subword\"");
  CHECK(answer_to("data.tokenizer.min_count=2") ==
        none + "it is for the types \"word\" and \"character\"");
  CHECK(answer_to("data.tokenizer.source={\"type\":\"word\"}") ==
        none + "it is for \"sides\": \"separate\"");
  CHECK(answer_to("model.init_std=0.1") == none + "it is for the initialisation \"normal\"");
  CHECK(answer_to("model.max_positions=99") == none + "it is for the positions \"learned\"");
  CHECK(answer_to("model.rotary_base=99") == none + "it is for the positions \"rotary\"");
  CHECK(whole_answer({"model.rotary_base=99", "model.encoder={\"positions\":\"rotary\"}"}) == "");
  CHECK(answer_to("model.dropout=0.2", {"model.residual_dropout=0", "model.embedding_dropout=0"}) ==
        none + "embedding_dropout and its like take its place everywhere");
  CHECK(whole_answer({"model.dropout=0.2", "model.residual_dropout=0"}) == "");
}

TEST_CASE("config answers: a run that began with a key without effect goes on, with a warning") {
  SmallRun small;
  const Overrides without = {"data.valid={}", "train.validate_every=500",
                             "train.sample_translations=3"};
  Overrides idle = without;
  idle.push_back("train.patience=3");
  CHECK(contains(failure<ConfigError>([&] { small.train({.set = idle}); }),
                 "train.patience: has no effect: there is no validation text"));
  CHECK(small.train({.set = without, .stop = after(3)}) == Trainer::End::kStopped);
  CHECK_FALSE(contains(small.said(), "has no effect"));
  CHECK(small.train({.set = idle, .open = RunFolder::Open::kContinue}) == Trainer::End::kFinished);
  CHECK(contains(small.said(), "warning: --set train.patience=3: train.patience: has no effect: "));
}

TEST_CASE("config answers: limits are called by the keys that set them") {
  SmallRun small;
  CHECK(small.train({.run = "few", .set = {"train.batch_tokens=3"}}) == Trainer::End::kFinished);
  CHECK(contains(small.said(), " with a source longer than twice train.batch_tokens"));
  CHECK_FALSE(contains(small.said(), "max_source_tokens"));
  CHECK(small.train({.run = "own", .set = {"train.max_source_tokens=6"}}) ==
        Trainer::End::kFinished);
  CHECK(contains(small.said(), " with a source longer than max_source_tokens"));
  const auto wrong = [&](const Overrides& set) {
    return failure<ConfigError>([&] { small.train({.run = "wrong", .set = set}); });
  };
  CHECK(contains(wrong({"model={\"d_model\": 20}"}),
                 "heads: 8, the default, does not divide d_model 20"));
  CHECK(contains(wrong({"model.d_model=15"}), "model.heads: 2 does not divide d_model 15"));
  CHECK(contains(wrong({"schedule={\"type\": \"cosine\"}"}),
                 "schedule.warmup: a warm-up of 4000 updates, the default, leaves none for the "
                 "decay, which ends at update 12; lower warmup or raise train.steps"));
}
