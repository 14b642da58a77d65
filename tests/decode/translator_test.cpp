// From lines to lines: one for one, in their order, whatever the batch.
#include "decode/translator.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "decode/trained_model.h"
#include "tests/support/decoding.h"
#include "tests/support/runs.h"

using namespace heddle;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::read_bytes;
using heddle::testing::same;
using heddle::testing::SmallRun;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

namespace {

Lines texts(const std::vector<Translation>& translations) {
  Lines texts;
  for (const Translation& t : translations) texts.push_back(t.text());
  return texts;
}

Lines translate(const TrainedModel& model, const Lines& lines, int threads = 1) {
  Translator translator(model.transformer(), model.tokenizers(), model.translator_options(threads));
  return texts(translator(lines));
}

/// 200 lines of uneven length, every ninth of them empty.
Lines many_lines() {
  const Lines words = {"un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit"};
  Lines lines;
  for (std::size_t i = 0; i < 200; ++i) {
    std::string line;
    for (std::size_t n = 0; n < i * 7 % 9; ++n) line += words[(i * i + 3 * n) % 8] + " ";
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("translator: a line depends on itself alone, and comes out where it went in") {
  SmallRun small;
  small.train({.set = {"train.steps=60"}});
  const TrainedModel model(small / "run");
  const kernels::PreparedWeights& prepared = *model.translator_options(1).prepared_weights;
  const Lines lines = many_lines();
  const Lines together = translate(model, lines);
  REQUIRE(together.size() == lines.size());
  CHECK(translate(model, lines, 3) == together);
  Lines backwards(lines.rbegin(), lines.rend());
  Lines reversed = translate(model, backwards, 2);
  std::ranges::reverse(reversed);
  CHECK(reversed == together);
  std::size_t differ_from_source = 0;
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    CAPTURE(lines[i]);
    CHECK(translate(model, {lines[i]}, static_cast<int>(i % 4) + 1) == Lines{together[i]});
    CHECK(together[i].empty() == lines[i].empty());
    if (together[i] != lines[i]) ++differ_from_source;
  }
  CHECK(differ_from_source > 20);
  CHECK(prepared.size() > 0);
  TranslatorOptions options = model.translator_options(1);
  options.prepared_weights = nullptr;
  for (const Lines& some : {Lines{lines[3]}, lines}) {
    Translator unprepared(model.transformer(), model.tokenizers(), options);
    CHECK(texts(unprepared(some)) == translate(model, some));
  }
  CHECK(translate(model, {}).empty());
  CHECK(translate(model, {"", " \t ", "un"})[1] == "");
}

TEST_CASE("translator: beams and samples depend on their line and its number alone, too") {
  SmallRun small;
  small.train({.set = {"train.steps=60"}});
  const TrainedModel model(small / "run");
  const Lines lines = many_lines();
  TranslatorOptions beam = model.translator_options(1), samples = beam;
  beam.beam = beam.n_best = 4;
  samples.n_best = 3;
  samples.sampling.emplace();
  for (const TranslatorOptions& search : {beam, samples}) {
    CAPTURE(search.beam);
    const auto outputs = [&](const Lines& some, int threads, std::uint64_t first_line = 1) {
      TranslatorOptions options = search;
      options.threads = threads;
      Translator translator(model.transformer(), model.tokenizers(), options);
      return translator(some, {}, first_line);
    };
    const std::vector<Translation> together = outputs(lines, 1), threads = outputs(lines, 3);
    const auto is_equal = [](const Translation& a, const Translation& b) {
      return std::ranges::equal(a.outputs, b.outputs, [](const auto& x, const auto& y) {
        return x.text == y.text && same(x.hypothesis, y.hypothesis);
      });
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CAPTURE(lines[i]);
      CHECK(is_equal(threads[i], together[i]));
      if (i % 5 == 1) CHECK(is_equal(outputs({lines[i]}, 2, i + 1)[0], together[i]));
    }
    CHECK(together[1].outputs.size() == static_cast<std::size_t>(search.n_best));
  }
}

TEST_CASE("translator: decodes in contexts that it is lent, and gives them back as they were") {
  SmallRun small;
  small.train({.set = {"train.steps=60"}});
  const TrainedModel model(small / "run");
  const Lines lines = many_lines();
  const Lines expected = translate(model, lines);
  for (const int threads : {1, 2, 3}) {
    Context first(4), second(5);
    TranslatorOptions options = model.translator_options(threads);
    options.contexts = {&first, &second};
    Translator translator(model.transformer(), model.tokenizers(), options);
    CHECK(texts(translator(lines)) == expected);
    if (threads == 1) CHECK(first.arena().peak() > 0);  // who takes a batch is chance
    CHECK(texts(translator(std::span(lines).first(4))) ==
          Lines(expected.begin(), expected.begin() + 4));
    CHECK(first.threads() == 4);
    CHECK(second.threads() == 5);
    CHECK(first.prepared_weights() == nullptr);
  }
}

TEST_CASE("translator: learns to reverse") {
  SmallRun small(2000);
  small.train({.set = {"train.steps=400", "train.batch_tokens=600", "train.validate_every=500",
                       "model.d_model=32", "model.dropout=0"}});
  const TrainedModel model(small / "run");
  CHECK(translate(model, {"un deux trois quatre", "sept six un", "huit"}) ==
        Lines{"quatre trois deux un", "un six sept", "huit"});
}

TEST_CASE("translator: what is no UTF-8, too long or without an end is noted, not fatal") {
  SmallRun small;
  small.train({.set = {"model.positions=learned", "model.max_positions=32", "train.steps=1",
                       "decode.max_length.factor=0", "decode.max_length.extra=3"}});
  const TrainedModel model(small / "run");
  Translator translator(model.transformer(), model.tokenizers(), model.translator_options(2));
  std::string long_line;
  for (int i = 0; i < 50; ++i) long_line += "un ";
  const Lines lines = {"un \xff deux", long_line, long_line.substr(0, 31 * 3)};
  const std::vector<Translation> translations = translator(lines);
  CHECK(translations[0].source_ids.size() == 4);
  CHECK(translations[0].source_ids[1] == Vocabulary::kUnknown);
  CHECK(translations[1].cut);
  CHECK(translations[1].source_ids.size() == 32);
  CHECK_FALSE(translations[2].cut);
  CHECK(translations[2].source_ids == translations[1].source_ids);
  for (const Translation& t : translations) CHECK(t.outputs.at(0).hypothesis.ids.size() <= 3);
}

TEST_CASE("translator: a line of any length takes its time, but no more") {
  SmallRun small;
  small.train({.set = {"train.steps=1", "decode.max_length.factor=0"}});
  const TrainedModel model(small / "run");
  Translator translator(model.transformer(), model.tokenizers(), model.translator_options(1));
  CHECK(translator.longest_source() == 1024);
  std::string line;
  for (int i = 0; i < 100'000; ++i) line += "un ";
  const std::vector<Translation> translations = translator(std::vector{line});
  CHECK(translations[0].cut);
  CHECK(translations[0].source_ids.size() == 1024);
  small.train({.run = "long", .set = {"train.steps=1", "data.max_length=2000"}});
  CHECK(TrainedModel(small / "long").translator_options(1).longest_source == 2000);
}

TEST_CASE("trained model: damaged or missing files are named") {
  SmallRun small;
  small.train({});
  const fs::path checkpoint = TrainedModel(small / "run").folder();
  fs::remove(checkpoint / "state.json");  // its seal would tell before
  const auto error = [&] { return failure([&] { TrainedModel(small / "run"); }); };
  const auto damaged = [&](const char* file, const std::string& bytes) {
    const std::string before = read_bytes(checkpoint / file);
    write_bytes(checkpoint / file, bytes);
    const std::string message = error();
    write_bytes(checkpoint / file, before);
    return message;
  };
  CHECK(contains(damaged("config.json", "{\"model\": "), "the model's config is damaged: "));
  CHECK(contains(damaged("config.json", R"({"model": {"d_modle": 3}})"), "d_modle: unknown key"));
  CHECK(contains(damaged("config.json", R"({"model": {"d_model": 16, "d_ff": 24, "layers": 2}})"),
                 "its parameters are not the model's: "));
  CHECK(contains(damaged("tokenizer", "nothing"),
                 "tokenizer: ends within line 1; the file was cut off"));
  CHECK(contains(damaged("model.safetensors", "short"), "model.safetensors"));
  CHECK(error() == "");
  fs::remove(checkpoint / "tokenizer");
  CHECK(contains(error(), "tokenizer"));
}
