#include "decode/greedy.h"

#include <algorithm>
#include <numeric>

#include "decode/candidates.h"

namespace heddle {

namespace {

// The sentences that are still growing, and the tokens of the next step.
struct Live {
  std::vector<std::int32_t> sentences, next, staying;
  std::vector<Sequence> one_each;
  std::vector<Candidate> best;

  Live(std::size_t count, std::int32_t start) : sentences(count), next(count, start) {
    std::iota(sentences.begin(), sentences.end(), 0);
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(count); ++i) one_each.push_back({i, 1});
  }
  Tokens tokens() const { return {next, Sequences(one_each).first(next.size())}; }
};

// Gives every live sentence its token; those that go on stay.
void grow(const Tensor& logits, const std::vector<std::int32_t>& limits, Live& live,
          std::vector<Hypothesis>& hypotheses) {
  live.staying.clear();
  live.next.clear();
  for (std::size_t row = 0; row < live.sentences.size(); ++row) {
    const auto sentence = static_cast<std::size_t>(live.sentences[row]);
    Hypothesis& hypothesis = hypotheses[sentence];
    best_candidates(logits, static_cast<std::int64_t>(row), 1, live.best);
    const Candidate choice = live.best.front();
    hypothesis.log_probability += choice.log_probability;
    hypothesis.finished = choice.id == Vocabulary::kEnd;
    if (hypothesis.finished) continue;
    hypothesis.ids.push_back(choice.id);
    if (static_cast<std::int32_t>(hypothesis.ids.size()) >= limits[sentence]) continue;
    live.staying.push_back(static_cast<std::int32_t>(row));
    live.next.push_back(choice.id);
  }
  for (std::size_t i = 0; i < live.staying.size(); ++i) {
    live.sentences[i] = live.sentences[static_cast<std::size_t>(live.staying[i])];
  }
  live.sentences.resize(live.staying.size());
}

}  // namespace

std::vector<Hypothesis> greedy(const Transformer& transformer, const Tokens& source,
                               const LengthLimit& limit, DecodingSpace& space) {
  Context& context = space.context;
  std::vector<Hypothesis> hypotheses(source.sequences.size());
  if (hypotheses.empty()) return hypotheses;
  std::vector<std::int32_t> limits;
  for (const Sequence& s : source.sequences) {
    limits.push_back(limit.tokens(s.length, transformer.longest_target()));
  }
  context.begin(Mode::kInference);
  transformer.begin_decoding(context, transformer.encode(context, source), space.cache);
  Live live(hypotheses.size(), transformer.vocabularies().target.start());
  for (;;) {
    context.begin(Mode::kInference);
    const Tensor states = transformer.decode(context, live.tokens(), space.cache);
    grow(transformer.logits(context, states), limits, live, hypotheses);
    if (live.sentences.empty()) return hypotheses;
    space.cache.select(live.staying);
  }
}

}  // namespace heddle
