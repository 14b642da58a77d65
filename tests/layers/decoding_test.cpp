// Decoding step by step is the teacher-forced pass, whatever the lengths, the order of sentences
// and the moves of the beams; and no token sees what comes after it.
#include <doctest/doctest.h>

#include <cstring>
#include <map>

#include "tests/support/compare.h"
#include "tests/support/models.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::doubles;
using heddle::testing::json_object;
using heddle::testing::kVocabulary;
using heddle::testing::Sentences;
using heddle::testing::TestModel;
using heddle::testing::worst_error;

namespace {

const std::string kTwoLayers = R"("d_model": 8, "d_ff": 12, "layers": 2, "dropout": 0.3)";

// Kinds of models that decode in different ways.
const std::vector<std::string> kModels = {
    R"("heads": 2, "norm_order": "post")",
    R"("norm_order": "pre", "heads": 2, "positions": "learned", "max_positions": 80, "tie": "none", "output_bias": true)",
    R"("heads": 2, "positions": "rotary", "kv_heads": 1, "gated": true, "activation": "silu", "norm": "rms_norm")",
    R"("norm_order": "pre", "positions": "rotary", "heads": 4, "kv_heads": 2,
       "decoder": {"block": [{"type": "self_attention"}, {"type": "feed_forward", "d_ff": 6},
                             {"type": "cross_attention", "heads": 1, "kv_heads": 1},
                             {"type": "self_attention", "heads": 2}]})"};

using Rows = std::vector<std::vector<double>>;

Rows rows_of(const Tensor& tensor) {
  const std::vector<double> all = doubles(tensor);
  const auto columns = tensor.shape.columns();
  Rows rows;
  for (auto at = all.begin(); at != all.end(); at += columns) rows.emplace_back(at, at + columns);
  return rows;
}

/// The scores of all target positions in one pass.
Rows teacher_forced(const TestModel& m, const Sentences& source, const Sentences& input) {
  Context c;
  c.begin(Mode::kInference);
  const Memory memory = m.transformer.encode(c, source.tokens());
  return rows_of(m.transformer.logits(c, m.transformer.decode(c, input.tokens(), memory)));
}

/// Decodes by steps of given sizes; hypotheses whose input is used up leave.
class Stepper {
 public:
  Stepper(const TestModel& m, const Sentences& source) : m_(m) {
    c_.begin(Mode::kInference);
    m.transformer.begin_decoding(c_, source.tokens(), cache);
  }

  /// Feeds each hypothesis its new tokens; their scores.
  Rows step(const Sentences& next) {
    c_.begin(Mode::kInference);
    return rows_of(m_.transformer.logits(c_, m_.transformer.decode(c_, next.tokens(), cache)));
  }

  DecoderCache cache;

 private:
  const TestModel& m_;
  Context c_;
};

/// The scores of all target positions, token by token; finished sentences leave the batch.
Rows step_by_step(const TestModel& m, const Sentences& source, const Sentences& input) {
  Stepper stepper(m, source);
  Rows result(input.ids.size());
  std::vector<std::int32_t> live(input.sequences.size());
  for (std::size_t i = 0; i < live.size(); ++i) live[i] = static_cast<std::int32_t>(i);
  for (std::int32_t t = 0; !live.empty(); ++t) {
    Sentences next;
    for (const std::int32_t s : live) {
      next.append({input.sentence(static_cast<std::size_t>(s))[static_cast<std::size_t>(t)]});
    }
    const Rows rows = stepper.step(next);
    std::vector<std::int32_t> staying, sentences;
    for (std::size_t i = 0; i < live.size(); ++i) {
      const Sequence& s = input.sequences[static_cast<std::size_t>(live[i])];
      result[static_cast<std::size_t>(s.begin + t)] = rows[i];
      if (t + 1 < s.length) {
        staying.push_back(static_cast<std::int32_t>(i));
        sentences.push_back(live[i]);
      }
    }
    stepper.cache.select(staying);
    live = sentences;
  }
  return result;
}

double worst(const Rows& a, const Rows& b) {
  double worst = a.size() == b.size() ? 0.0 : 1.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = heddle::testing::worse_of(worst, worst_error(a[i], b[i]));
  }
  return worst;
}

}  // namespace

TEST_CASE("decoding: step by step equals the teacher-forced pass, for uneven lengths") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kTwoLayers, kind));
    const Sentences source({4, 1, 9, 2}, kVocabulary, 1);
    const Sentences input = Sentences({5, 21, 1, 18}, kVocabulary, 2).shifted(kVocabulary);
    const Rows whole = teacher_forced(m, source, input);
    CHECK(whole.size() == 45);
    CHECK(whole[0].size() == 10);  // padding is no class
    CHECK(worst(whole, step_by_step(m, source, input)) < 1e-10);
    CHECK(worst(whole, Rows(45, std::vector<double>(10, 0.0))) > 0.1);
  }
}

TEST_CASE("decoding: several tokens at once, as of a forced prefix, equal one at a time") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kTwoLayers, kind));
    const Sentences source({3, 6}, kVocabulary, 3);
    const Sentences input = Sentences({7, 5}, kVocabulary, 4).shifted(kVocabulary);
    const Rows whole = teacher_forced(m, source, input);
    Stepper stepper(m, source);
    const auto part = [&](std::size_t s, std::int32_t first, std::int32_t last) {
      const auto ids = input.sentence(s);
      return std::vector<std::int32_t>(ids.begin() + first, ids.begin() + last);
    };
    Sentences first, second;
    first.append(part(0, 0, 4));
    first.append(part(1, 0, 2));
    second.append(part(0, 4, 7));
    second.append(part(1, 2, 5));
    const Rows begin = stepper.step(first), end = stepper.step(second);
    CHECK(stepper.cache.length(0) == 7);
    CHECK(stepper.cache.length(1) == 5);
    const Rows pieces = {begin[0], begin[1], begin[2], begin[3], end[0], end[1],
                         end[2],   begin[4], begin[5], end[3],   end[4], end[5]};
    CHECK(worst(whole, pieces) < 1e-10);
  }
}

TEST_CASE("decoding: beams that are repeated, reordered and dropped keep their own past") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kTwoLayers, kind));
    const Sentences source({4, 7, 2}, kVocabulary, 5);
    Stepper stepper(m, source);
    std::vector<std::vector<std::int32_t>> pasts(3);  // ids of each hypothesis
    const std::vector<std::vector<std::int32_t>> moves = {
        {0, 0, 1, 1, 2},  // two beams for two sentences
        {1, 0, 3, 2, 4}, {0, 0, 2, 3, 4}, {1, 0, 3, 3, 4}, {1, 2, 3},
        {2, 1, 0},       {0, 2},          {1, 1, 1, 0}};
    for (std::size_t t = 0; t < 3 * moves.size(); ++t) {
      Sentences next;
      for (std::size_t i = 0; i < pasts.size(); ++i) {
        const auto id = static_cast<std::int32_t>(1 + (5 * t + 3 * i) % 9);
        pasts[i].push_back(t == 0 ? kVocabulary.start() : id);
        next.append({pasts[i].back()});
      }
      const Rows stepped = stepper.step(next);
      Sentences sources, inputs;
      for (std::size_t i = 0; i < pasts.size(); ++i) {
        sources.append(source.sentence(
            static_cast<std::size_t>(stepper.cache.sentence(static_cast<std::int64_t>(i)))));
        inputs.append(pasts[i]);
      }
      const Rows whole = teacher_forced(m, sources, inputs);
      Rows last;
      for (const Sequence& s : inputs.sequences) {
        last.push_back(whole[static_cast<std::size_t>(s.begin + s.length - 1)]);
      }
      CHECK(worst(last, stepped) < 1e-10);
      if (t >= moves.size()) continue;  // 24 steps: more than a block of the cache
      stepper.cache.select(moves[t]);
      std::vector<std::vector<std::int32_t>> moved;
      for (const std::int32_t parent : moves[t]) {
        moved.push_back(pasts[static_cast<std::size_t>(parent)]);
      }
      pasts = moved;
    }
  }
}

TEST_CASE("decoding: a cache begins anew, also for another model") {
  const TestModel small(json_object(kTwoLayers)), other(json_object(kTwoLayers, kModels[3]));
  const Sentences source({4, 3}, kVocabulary, 1);
  const Sentences input = Sentences({20, 5}, kVocabulary, 2).shifted(kVocabulary);
  Stepper stepper(other, source);
  Context c;
  for (const TestModel* m : {&small, &other, &small}) {
    c.begin(Mode::kInference);
    m->transformer.begin_decoding(c, source.tokens(), stepper.cache);
    CHECK(stepper.cache.hypotheses() == 2);
    CHECK(stepper.cache.length(0) == 0);
    c.begin(Mode::kInference);
    const Rows got =
        rows_of(m->transformer.logits(c, m->transformer.decode(c, input.tokens(), stepper.cache)));
    CHECK(worst(teacher_forced(*m, source, input), got) < 1e-10);
  }
}

TEST_CASE("decoding: what is earlier does not change, bit for bit, when later tokens do") {
  for (const DType dtype : {DType::kFloat64, DType::kFloat32}) {
    for (const std::string& kind : kModels) {
      CAPTURE(kind);
      const TestModel m(json_object(kTwoLayers, kind), dtype);
      const Sentences source({4, 9}, kVocabulary, 1);
      Sentences input = Sentences({70, 20}, kVocabulary, 2).shifted(kVocabulary);
      Context c;
      const auto states = [&] {
        c.begin(Mode::kInference);
        const Memory memory = m.transformer.encode(c, source.tokens());
        const Tensor y = m.transformer.decode(c, input.tokens(), memory);
        const auto* bytes = static_cast<const std::byte*>(y.data);
        return std::vector<std::byte>(bytes, bytes + y.bytes());
      };
      const std::vector<std::byte> before = states();
      constexpr std::int32_t kChanged = 33;
      for (std::int32_t t = kChanged; t < 70; ++t) {
        std::int32_t& id = input.ids[static_cast<std::size_t>(t)];
        id = 1 + (id + 3) % 9;
      }
      const std::vector<std::byte> after = states();
      const std::size_t row = before.size() / 90;
      CHECK(std::memcmp(before.data(), after.data(), kChanged * row) == 0);
      for (std::size_t t = kChanged; t < 70; ++t) {
        CHECK(std::memcmp(before.data() + t * row, after.data() + t * row, row) != 0);
      }
      CHECK(std::memcmp(before.data() + 70 * row, after.data() + 70 * row, 20 * row) == 0);
    }
  }
}

TEST_CASE("decoding: a batch of sentences equals batches of one, and their order is free") {
  for (const std::string& kind : kModels) {
    CAPTURE(kind);
    const TestModel m(json_object(kTwoLayers, kind));
    const Sentences source({4, 1, 17, 2, 6}, kVocabulary, 1);
    const Sentences input = Sentences({3, 19, 1, 8, 5}, kVocabulary, 2).shifted(kVocabulary);
    const Rows whole = teacher_forced(m, source, input);
    for (std::size_t i = 0; i < 5; ++i) {
      Sentences one_source, one_input;
      one_source.append(source.sentence(i));
      one_input.append(input.sentence(i));
      const auto first = whole.begin() + input.sequences[i].begin;
      const Rows part(first, first + input.sequences[i].length);
      CHECK(worst(part, teacher_forced(m, one_source, one_input)) < 1e-12);
    }
    Sentences shuffled_source, shuffled_input;
    Rows shuffled;
    for (const std::size_t i : {3U, 0U, 4U, 2U, 1U}) {
      shuffled_source.append(source.sentence(i));
      shuffled_input.append(input.sentence(i));
      const auto first = whole.begin() + input.sequences[i].begin;
      shuffled.insert(shuffled.end(), first, first + input.sequences[i].length);
    }
    CHECK(worst(shuffled, teacher_forced(m, shuffled_source, shuffled_input)) < 1e-12);
  }
}

TEST_CASE("decoding: misuse is refused") {
  const TestModel m(json_object(kTwoLayers));
  const Sentences source({4, 3}, kVocabulary, 1);
  Stepper stepper(m, source);
  Sentences one;
  one.append({kVocabulary.start()});
  CHECK_MESSAGE_THROWN(stepper.step(one),
                       "decoder cache: new tokens for 1 hypotheses, but there are 2");
  const std::vector<std::int32_t> beyond{0, 2};
  CHECK_MESSAGE_THROWN(stepper.cache.select(beyond),
                       "decoder cache: there is no hypothesis 2 among 2");
  GradientSlab gradients(m.store);
  Context training(gradients);
  training.begin(Mode::kTraining);
  const Memory memory = m.transformer.encode(training, source.tokens());
  CHECK_MESSAGE_THROWN(m.transformer.begin_decoding(training, source.tokens(), stepper.cache),
                       "begin_decoding: the context is training");
  CHECK_MESSAGE_THROWN(m.transformer.decode(training, one.tokens(), memory),
                       "decode: 1 target sentences, 2 source sentences");
  const TestModel other(json_object(kTwoLayers, kModels[3]));
  Context c;
  c.begin(Mode::kInference);
  CHECK_MESSAGE_THROWN(other.transformer.decode(c, source.tokens(), stepper.cache),
                       "decode: the cache was not begun by this model");
  c.begin(Mode::kInference);
  m.transformer.begin_decoding(c, source.tokens(), stepper.cache);
  const std::vector<Sequence> gap = {{0, 1}, {2, 1}};
  CHECK_MESSAGE_THROWN(m.transformer.decode(c, {source.ids, gap}, stepper.cache),
                       "decoder cache: ");
}
