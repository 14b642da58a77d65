// Subword regularisation: the distributions are the right ones, and a draw depends on one number.
#include <doctest/doctest.h>
#include <sentencepiece_processor.h>

#include <cmath>
#include <map>
#include <thread>

#include "data/subword_sampling.h"
#include "tests/data/tokenizers.h"

namespace heddle::testing {
namespace {

using Algorithm = SentencePieceModel::Algorithm;
using Shares = std::map<Ids, double>;

std::string config(const std::string& model, const std::string& sample) {
  return R"({"type": "subword", "vocab_size": 100, "model": ")" + model + R"(", "sample": )" +
         sample + "}";
}

SentencePieceModel model_of(Algorithm algorithm,
                            const std::vector<std::pair<std::string, float>>& pieces) {
  SentencePieceModel model{algorithm, {{"</s>", 0.0f}, {"<unk>", 0.0f}}, {}};
  for (const auto& [text, score] : pieces) model.pieces.push_back({text, score});
  return model;
}

Shares drawn(const SubwordSampler& sampler, const std::string& text, int draws) {
  Shares shares;
  for (int i = 0; i < draws; ++i) {
    Ids ids;
    sampler.sample(text, static_cast<std::uint64_t>(i) << 20, ids);
    shares[ids] += 1.0 / draws;
  }
  return shares;
}

/// Half the sum of all differences.
double distance(const Shares& a, const Shares& b) {
  double sum = 0;
  for (const auto& [ids, share] : a) sum += std::abs(share - (b.contains(ids) ? b.at(ids) : 0.0));
  for (const auto& [ids, share] : b) sum += a.contains(ids) ? 0.0 : share;
  return sum / 2;
}

TEST_CASE("subword tokenizer: sampling is a function of the text and the number") {
  const Lines lines = small_text();
  for (const char* name : {"bpe", "unigram"}) {
    CAPTURE(std::string(name));
    const auto tokenizer = trained(config(name, "0.3"), lines);
    const auto loaded = load_tokenizer(tokenizer->serialised(), "t");
    int different = 0;
    for (const std::string& line : lines) {
      const Ids ids = sampled(*tokenizer, line, 17);
      CHECK(ids == sampled(*loaded, line, 17));
      CHECK(tokenizer->decode(ids) == line);
      different += ids != sampled(*tokenizer, line, 18) ? 1 : 0;
      different += ids != sampled(*tokenizer, line, 17 + (std::uint64_t{1} << 32)) ? 1 : 0;
    }
    CHECK(different > static_cast<int>(lines.size()));
  }
}

TEST_CASE("subword tokenizer: without the key, a sample is the one segmentation") {
  for (const char* name : {"bpe", "unigram"}) {
    const auto tokenizer = trained(config(name, "0"), small_text());
    for (const std::string& line : small_text()) {
      CHECK(sampled(*tokenizer, line, 5) == encoded(*tokenizer, line));
    }
  }
}

TEST_CASE("subword tokenizer: hardly any dropout gives SentencePiece's segmentation") {
  const auto tokenizer = trained(config("bpe", "1e-12"), small_text());
  Lines lines = small_text();
  for (const std::string& line : hostile_lines()) lines.push_back(line);
  for (const std::string& line : lines) {
    CHECK(sampled(*tokenizer, line, 5) == encoded(*tokenizer, line));
  }
}

TEST_CASE("subword tokenizer: full dropout leaves characters") {
  const auto tokenizer = trained(config("bpe", "1"), small_text());
  CHECK(sampled(*tokenizer, "die Bäckerin", 1).size() == 13);
}

TEST_CASE("subword tokenizer: unigram draws with the probabilities of all segmentations") {
  const auto log_of = [](double p) { return static_cast<float>(std::log(p)); };
  const auto model = model_of(Algorithm::kUnigram, {{"a", log_of(0.1)},
                                                    {"b", log_of(0.2)},
                                                    {"ab", log_of(0.3)},
                                                    {"ba", log_of(0.15)},
                                                    {"aba", log_of(0.05)}});
  const double alpha = 0.5;
  const std::vector<std::pair<Ids, double>> all = {
      {{2, 3, 2}, 0.1 * 0.2 * 0.1}, {{4, 2}, 0.3 * 0.1}, {{2, 5}, 0.1 * 0.15}, {{6}, 0.05}};
  double sum = 0;
  for (const auto& [ids, p] : all) sum += std::pow(p, alpha);
  Shares exact;
  for (const auto& [ids, p] : all) exact[ids] = std::pow(p, alpha) / sum;
  CHECK(distance(drawn(SubwordSampler(model, alpha), "aba", 40000), exact) < 0.01);
}

TEST_CASE("subword tokenizer: BPE leaves out each merge with its probability") {
  // a b c -> ab c -> abc, or where ab is left out: a bc -> abc.
  const auto model = model_of(
      Algorithm::kBpe,
      {{"ab", 0.0f}, {"bc", -1.0f}, {"abc", -2.0f}, {"a", -3.0f}, {"b", -4.0f}, {"c", -5.0f}});
  const double p = 0.3, q = 1 - p;
  const Shares exact = {
      {{4}, q * q + p * q * q}, {{2, 7}, q * p}, {{5, 3}, p * q * p}, {{5, 6, 7}, p * p}};
  CHECK(distance(drawn(SubwordSampler(model, p), "abc", 40000), exact) < 0.01);
}

/// Draws of SentencePiece itself. Its generator can be seeded once for each thread.
Shares drawn_by_sentencepiece(std::string_view model, const std::string& text, float alpha,
                              int draws) {
  Shares shares;
  const auto draw = [&] {
    sentencepiece::SentencePieceProcessor processor;
    REQUIRE(processor.LoadFromSerializedProto(model).ok());
    for (int i = 0; i < draws; ++i) {
      std::vector<int> ids;
      REQUIRE(processor.SampleEncode(text, -1, alpha, &ids).ok());
      shares[ids] += 1.0 / draws;
    }
  };
  sentencepiece::SetRandomGeneratorSeed(1);
  std::thread(draw).join();
  return shares;
}

TEST_CASE("subword tokenizer: samples are distributed as SentencePiece's own") {
  for (const std::string name : {"bpe", "unigram"}) {
    CAPTURE(name);
    const std::string alpha = name == "bpe" ? "0.2" : "0.5", text = "☃☃ sieht Zuschauer";
    const auto tokenizer = trained(config(name, alpha), small_text());
    const std::string bytes = tokenizer->serialised();
    constexpr int kDraws = 40000;
    Shares ours;
    for (std::uint64_t i = 0; i < kDraws; ++i) ours[sampled(*tokenizer, text, i)] += 1.0 / kDraws;
    const Shares theirs = drawn_by_sentencepiece(model_in(bytes), text, std::stof(alpha), kDraws);
    CHECK(ours.size() > 30);
    CHECK(distance(ours, theirs) < 0.03);
  }
}

TEST_CASE("subword tokenizer: any line can be sampled") {
  for (const char* name : {"bpe", "unigram"}) {
    const auto tokenizer = trained(config(name, "0.1"), small_text());
    for (const std::string& line : hostile_lines()) {
      for (const std::int32_t id : sampled(*tokenizer, line, 3)) {
        if (id < Vocabulary::kUnknown || id >= tokenizer->vocabulary().start()) FAIL_CHECK(id);
      }
    }
  }
}

}  // namespace
}  // namespace heddle::testing
