// Greedy decoding against the teacher-forced pass over its own output.
#include "decode/greedy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/models.h"

using namespace heddle;
using heddle::testing::Sentences;
using heddle::testing::TestModel;

namespace {

const std::string kModel = R"({"d_model": 16, "heads": 2, "d_ff": 24, "layers": 2,
                               "initialisation": "normal", "init_std": 0.6, "output_bias": true})";
const Vocabulary kVocabulary{30};

struct Example {
  TestModel model{kModel, DType::kFloat64, {kVocabulary, kVocabulary}};
  Sentences source{{4, 1, 9, 2, 6, 3, 5}, kVocabulary, 3};
  DecodingSpace space;

  Example() {  // outputs end after a while
    const Parameter bias = model.store.find("output.bias");
    static_cast<double*>(model.store.data(bias))[Vocabulary::kEnd] += 0.5;
  }
  std::vector<Hypothesis> decode(const LengthLimit& limit = {}) {
    return greedy(model.transformer, source.tokens(), limit, space);
  }
};

}  // namespace

TEST_CASE("greedy: every token is the likeliest of the teacher-forced pass, up to the end") {
  Example e;
  const std::vector<Hypothesis> found = e.decode();
  REQUIRE(found.size() == 7);
  std::size_t finished = 0, longest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    const Hypothesis& h = found[i];
    finished += h.finished ? 1 : 0;
    longest = std::max(longest, h.ids.size());
    std::vector<std::int32_t> output = h.ids;
    if (h.finished) output.push_back(Vocabulary::kEnd);
    Sentences source, target;
    source.append(e.source.sentence(i));
    target.append(output);
    Context c;
    c.begin(Mode::kInference);
    const Transformer& t = e.model.transformer;
    const Memory memory = t.encode(c, source.tokens());
    const Tensor logits = t.logits(c, t.decode(c, target.shifted(kVocabulary).tokens(), memory));
    double log_probability = 0.0;
    for (std::size_t row = 0; row < output.size(); ++row) {
      const double* scores = logits.as<double>() + row * 29;
      CHECK(std::max_element(scores, scores + 29) - scores == output[row]);
      double sum = 0.0;
      for (int k = 0; k < 29; ++k) sum += std::exp(scores[k]);
      log_probability += scores[output[row]] - std::log(sum);
    }
    CHECK(h.log_probability == doctest::Approx(log_probability).epsilon(1e-9));
  }
  CHECK(finished >= 3);
  CHECK(longest >= 3);
}

TEST_CASE("greedy: the limit cuts off what does not end, and says so") {
  Example e;
  LengthLimit limit;
  limit.factor = 0.0;
  limit.extra = 2;
  CHECK(limit.tokens(100) == 2);
  const std::vector<Hypothesis> cut = e.decode(limit), whole = e.decode();
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const auto& all = whole[i].ids;
    const std::size_t length = std::min<std::size_t>(2, all.size());
    CHECK(cut[i].ids == std::vector<std::int32_t>(
                            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length)));
    CHECK(cut[i].finished == (all.size() < 2 && whole[i].finished));
  }
  CHECK(LengthLimit().tokens(3) == 56);
  limit.extra = 1;
  for (const Hypothesis& h : e.decode(limit)) CHECK(h.ids.size() <= 1);
}

TEST_CASE("greedy: a sentence is translated the same alone, in any order, and in a used space") {
  Example e;
  const std::vector<Hypothesis> together = e.decode();
  for (std::size_t i = 0; i < together.size(); ++i) {
    Sentences one;
    one.append(e.source.sentence(i));
    const auto alone = greedy(e.model.transformer, one.tokens(), {}, e.space);
    REQUIRE(alone.size() == 1);
    CHECK(alone[0].ids == together[i].ids);
    CHECK(alone[0].log_probability == together[i].log_probability);
  }
  CHECK(greedy(e.model.transformer, {}, {}, e.space).empty());
}

TEST_CASE("decode config: defaults, and what is read") {
  const ConfigDocument none = ConfigDocument::parse("{}", "test.json");
  const DecodeConfig defaults(none.root());
  CHECK(defaults.beam == 1);
  CHECK(defaults.length_penalty == 1.0);
  CHECK(defaults.limit.tokens(3) == 56);
  const ConfigDocument given =
      ConfigDocument::parse(R"({"beam": 5, "length_penalty": 0.6})", "test.json");
  CHECK(DecodeConfig(given.root()).beam == 5);
  CHECK(DecodeConfig(given.root()).length_penalty == 0.6);
}

TEST_CASE("greedy: the limit is read from a config") {
  const ConfigDocument document =
      ConfigDocument::parse(R"({"max_length": {"factor": 1.5, "extra": 4}})", "test.json");
  const LengthLimit limit(document.root());
  document.finish();
  CHECK(limit.tokens(10) == 19);
  const ConfigDocument wrong =
      ConfigDocument::parse(R"({"max_length": {"factor": -1, "extra": 0}})", "test.json");
  LengthLimit{wrong.root()};
  CHECK_THROWS_WITH_AS(wrong.finish(),
                       "test.json:1:27: max_length.factor: -1 is outside 0 to 1000\n"
                       "test.json:1:40: max_length.extra: 0 is outside 1 to 1048576",
                       ConfigError);
}
