// Attention weights that a user asks for: per layer, head and sentence, from the same forward.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/compare.h"
#include "tests/support/models.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::doubles;
using heddle::testing::kVocabulary;
using heddle::testing::Sentences;
using heddle::testing::TestModel;
using heddle::testing::worst_error;

namespace {

const std::string kGroupedQueries =
    R"({"d_model": 8, "heads": 4, "kv_heads": 2, "d_ff": 12, "layers": 2, "positions": "rotary"})";
const std::vector<std::string> kDecoderLayers = {
    "decoder.layers.0.self_attention", "decoder.layers.0.cross_attention",
    "decoder.layers.1.self_attention", "decoder.layers.1.cross_attention"};

}  // namespace

TEST_CASE("attention maps: every layer, head and sentence, rows are distributions") {
  const TestModel m(kGroupedQueries);
  const Sentences source({4, 1, 3}, kVocabulary, 1);
  const Sentences input = Sentences({2, 5, 3}, kVocabulary, 2).shifted(kVocabulary);
  Context c;
  c.begin(Mode::kInference);
  AttentionMaps encoder, decoder;
  const Memory memory = m.transformer.encode(c, source.tokens(), &encoder);
  const std::vector<double> with =
      doubles(m.transformer.decode(c, input.tokens(), memory, &decoder));
  const std::vector<double> without = doubles(m.transformer.decode(c, input.tokens(), memory));
  CHECK(with == without);
  CHECK(encoder.layers() == std::vector<std::string>{"encoder.layers.0.self_attention",
                                                     "encoder.layers.1.self_attention"});
  CHECK(decoder.layers() == kDecoderLayers);
  for (const std::string& layer : decoder.layers()) {
    CAPTURE(layer);
    const bool cross = layer.ends_with("cross_attention");
    for (std::int64_t sentence = 0; sentence < 3; ++sentence) {
      const auto s = static_cast<std::size_t>(sentence);
      for (int head = 0; head < 4; ++head) {
        const AttentionMaps::Map map = decoder.map(layer, sentence, head);
        CHECK(map.queries == input.sequences[s].length);
        CHECK(map.keys == (cross ? source : input).sequences[s].length);
        for (std::int64_t q = 0; q < map.queries; ++q) {
          double sum = 0.0;
          for (std::int64_t k = 0; k < map.keys; ++k) {
            sum += map.at(q, k);
            if (!cross && k > q) CHECK(map.at(q, k) == 0.0);
            CHECK(map.at(q, k) >= 0.0);
          }
          CHECK(sum == doctest::Approx(1.0).epsilon(1e-12));
        }
      }
    }
  }
  const auto first = decoder.map(kDecoderLayers[1], 0, 0),
             second = decoder.map(kDecoderLayers[1], 0, 1);
  CHECK(worst_error(first.weights, second.weights) > 1e-4);
}

TEST_CASE("attention maps: step by step they are rows of those of the whole pass") {
  const TestModel m(kGroupedQueries);
  const Sentences source({4, 3}, kVocabulary, 1);
  const Sentences input = Sentences({5, 5}, kVocabulary, 2).shifted(kVocabulary);
  Context c, stepping;
  c.begin(Mode::kInference);
  AttentionMaps whole;
  const Memory memory = m.transformer.encode(c, source.tokens());
  m.transformer.decode(c, input.tokens(), memory, &whole);

  DecoderCache cache;
  stepping.begin(Mode::kInference);
  m.transformer.begin_decoding(stepping, source.tokens(), cache);
  for (std::int64_t t = 0; t < 5; ++t) {
    Sentences next;
    for (const std::size_t s : {0U, 1U})
      next.append({input.sentence(s)[static_cast<std::size_t>(t)]});
    AttentionMaps step;
    stepping.begin(Mode::kInference);
    m.transformer.decode(stepping, next.tokens(), cache, &step);
    CHECK(step.layers() == kDecoderLayers);
    for (const std::string& layer : kDecoderLayers) {
      for (int head = 0; head < 4; ++head) {
        const auto row = step.map(layer, 1, head), all = whole.map(layer, 1, head);
        REQUIRE(row.queries == 1);
        for (std::int64_t k = 0; k < row.keys; ++k) {
          CHECK(row.at(0, k) == doctest::Approx(all.at(t, k)).epsilon(1e-10));
        }
      }
    }
  }
}

TEST_CASE("attention maps: they outlive the step, and a layer that runs again replaces its own") {
  const TestModel m(kGroupedQueries);
  const Sentences first({4, 3}, kVocabulary, 1), second({2}, kVocabulary, 2);
  Context c;
  AttentionMaps maps;
  const std::string layer = "encoder.layers.0.self_attention";
  c.begin(Mode::kInference);
  m.transformer.encode(c, first.tokens(), &maps);
  const AttentionMaps::Map before = maps.map(layer, 0, 1);
  c.begin(Mode::kInference);
  c.empty({5000}, DType::kFloat64);
  CHECK(maps.map(layer, 0, 1).weights == before.weights);
  m.transformer.encode(c, second.tokens(), &maps);
  CHECK(maps.layers().size() == 2);
  CHECK(maps.map(layer, 0, 1).queries == 2);
}

TEST_CASE("attention maps: what did not run is refused") {
  const TestModel m(kGroupedQueries);
  const Sentences source({4, 3}, kVocabulary, 1);
  Context c;
  c.begin(Mode::kInference);
  AttentionMaps maps;
  m.transformer.encode(c, source.tokens(), &maps);
  const std::string layer = "encoder.layers.0.self_attention";
  CHECK_MESSAGE_THROWN(maps.map("encoder.layers.0.self_atention", 0, 0),
                       "attention maps: there is no layer encoder.layers.0.self_atention; did you "
                       "mean \"encoder.layers.0.self_attention\"?");
  CHECK_MESSAGE_THROWN(maps.map(layer, 2, 0),
                       "has 2 sentences and 4 heads, no sentence 2 with head 0");
  CHECK_MESSAGE_THROWN(maps.map(layer, 0, 4), "no sentence 0 with head 4");
  CHECK_MESSAGE_THROWN(maps.map(layer, -1, 0), "no sentence -1");
}
