#include "decode/rollout.h"

#include <algorithm>

namespace heddle {

namespace {

// The outputs that are still growing, and the tokens of the next step.
struct Live {
  std::vector<std::int32_t> outputs, next, parents;
  std::vector<Sequence> one_each;

  Live(std::size_t sentences, std::size_t copies, std::int32_t start)
      : next(sentences * copies, start) {
    for (std::size_t i = 0; i < next.size(); ++i) {
      outputs.push_back(static_cast<std::int32_t>(i));
      parents.push_back(static_cast<std::int32_t>(i / copies));
      one_each.push_back({static_cast<std::int32_t>(i), 1});
    }
  }
  Tokens tokens() const { return {next, Sequences(one_each).first(next.size())}; }
};

class RollOut {
 public:
  RollOut(const Transformer& transformer, const DecodingInput& input, std::size_t copies,
          const LengthLimit& limit, const ChooseToken& choose)
      : input_(input),
        copies_(copies),
        choose_(choose),
        hypotheses_(input.source.sequences.size() * copies) {
    for (std::size_t i = 0; i < input.source.sequences.size(); ++i) {
      limits_.push_back(input.limit(i, limit, transformer));
    }
    for (std::size_t i = 0; i < hypotheses_.size(); ++i) {
      hypotheses_[i].ids.reserve(
          static_cast<std::size_t>(std::min(limits_[i / copies], kReservedTokens)));
    }
  }

  // Gives every live output its token; those that go on stay.
  void grow(const Tensor& logits, Live& live) {
    live.parents.clear();
    live.next.clear();
    for (std::size_t row = 0; row < live.outputs.size(); ++row) {
      const auto output = static_cast<std::size_t>(live.outputs[row]);
      const Candidate choice = next_token(logits, static_cast<std::int64_t>(row), output);
      Hypothesis& hypothesis = hypotheses_[output];
      hypothesis.log_probability += choice.log_probability;
      hypothesis.finished = choice.id == Vocabulary::kEnd;
      if (hypothesis.finished) continue;
      hypothesis.ids.push_back(choice.id);
      if (std::ssize(hypothesis.ids) >= limits_[output / copies_]) continue;
      live.outputs[live.parents.size()] = live.outputs[row];
      live.parents.push_back(static_cast<std::int32_t>(row));
      live.next.push_back(choice.id);
    }
    live.outputs.resize(live.parents.size());
  }

  std::vector<Hypothesis> hypotheses() && { return std::move(hypotheses_); }

 private:
  Candidate next_token(const Tensor& logits, std::int64_t row, std::size_t output) const {
    const std::size_t sentence = output / copies_;
    const std::size_t position = hypotheses_[output].ids.size();
    const std::span<const std::int32_t> prefix = input_.prefix(sentence);
    if (position < prefix.size()) {
      if (!input_.scores) return {prefix[position], kNoScore};
      return candidate_of(logits, row, prefix[position]);
    }
    return choose_(logits, row, {sentence, output % copies_, static_cast<std::int32_t>(position)});
  }

  const DecodingInput& input_;
  std::size_t copies_;
  const ChooseToken& choose_;
  std::vector<std::int32_t> limits_;  // per sentence
  std::vector<Hypothesis> hypotheses_;
};

}  // namespace

std::vector<Hypothesis> roll_out(const Transformer& transformer, const DecodingInput& input,
                                 std::size_t copies, const LengthLimit& limit,
                                 const ChooseToken& choose, DecodingSpace& space) {
  if (input.source.sequences.empty()) return {};
  RollOut outputs(transformer, input, copies, limit, choose);
  Live live(input.source.sequences.size(), copies, transformer.vocabularies().target.start());
  Context& context = space.context;
  transformer.begin_decoding(context, input.source, space.cache);
  while (!live.outputs.empty()) {
    space.cache.select(live.parents);
    context.begin(Mode::kInference);
    const Tensor states = transformer.decode(context, live.tokens(), space.cache);
    outputs.grow(transformer.logits(context, states), live);
  }
  return std::move(outputs).hypotheses();
}

}  // namespace heddle
