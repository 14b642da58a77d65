#include "decode/beam_search.h"

#include <algorithm>
#include <tuple>

#include "decode/candidates.h"

namespace heddle {

namespace {

// A token and the one before it, an index of the list of all; -1 is the start.
struct Token {
  std::int32_t id, before;
};

struct Running {
  std::int32_t last;  // token
  double log_probability;
};

struct Ended {
  std::int32_t last, length;  // the length counts the end
  double log_probability, score;
  bool finished;
};

// How one of the running hypotheses may go on.
struct Continuation {
  std::int32_t running;  // which one
  Candidate candidate;   // the log-probability is that of all tokens
};

struct Sentence {
  std::int32_t index;  // in the source
  std::int32_t limit;  // of tokens
  std::vector<Running> running = {};
  std::vector<Ended> ended = {};  // the best first
  bool done = false;
};

class BeamSearch {
 public:
  BeamSearch(const Transformer& transformer, const DecodingInput& input, const BeamOptions& options,
             DecodingSpace& space)
      : transformer_(transformer),
        input_(input),
        options_(options),
        beam_(static_cast<std::size_t>(options.beam)),
        space_(space) {
    check(options.beam >= 1, "beam_search: a beam of ", options.beam, " is not at least 1");
  }

  std::vector<std::vector<Hypothesis>> run();

 private:
  void begin();
  void advance(const Tensor& logits);
  void find_continuations(const Sentence& sentence, std::int64_t first_row, const Tensor& logits);
  void take_continuations(Sentence& sentence);
  void end(Sentence& sentence, const Running& hypothesis, bool finished) const;
  bool is_done(const Sentence& sentence) const;
  Hypothesis hypothesis_of(const Ended& ended) const;

  const Transformer& transformer_;
  const DecodingInput& input_;
  const BeamOptions& options_;
  std::size_t beam_;
  DecodingSpace& space_;
  std::int32_t length_ = 0;  // tokens of the running hypotheses
  std::vector<Token> tokens_;
  std::vector<Sentence> sentences_;  // those that are not done, in the order of the rows
  std::vector<std::vector<Hypothesis>> results_;
  // The next step: a row for each running hypothesis, in order.
  std::vector<std::int32_t> ids_, parents_;
  std::vector<Sequence> one_each_;
  // Scratch.
  std::vector<Running> before_;
  std::vector<Candidate> candidates_;
  std::vector<Continuation> continuations_;
  std::vector<std::int32_t> row_of_;  // the row that each running hypothesis continues
};

void BeamSearch::begin() {
  const Tokens& source = input_.source;
  results_.resize(source.sequences.size());
  sentences_.reserve(source.sequences.size());
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < source.sequences.size(); ++i) {
    sentences_.push_back({.index = static_cast<std::int32_t>(i),
                          .limit = input_.limit(i, options_.limit, transformer_)});
    Sentence& sentence = sentences_.back();
    sentence.running.reserve(beam_);
    sentence.running.push_back({-1, 0.0});
    sentence.ended.reserve(beam_ + 1);
    tokens += static_cast<std::size_t>(std::min(sentence.limit, kReservedTokens)) * beam_;
    ids_.push_back(transformer_.vocabularies().target.start());
    one_each_.push_back({static_cast<std::int32_t>(i), 1});
  }
  // Steps allocate nothing.
  tokens_.reserve(tokens);
  ids_.reserve(sentences_.size() * beam_);
  parents_.reserve(sentences_.size() * beam_);
  one_each_.reserve(sentences_.size() * beam_);
  before_.reserve(beam_);
  row_of_.reserve(beam_);
  candidates_.reserve(2 * beam_);
  continuations_.reserve(2 * beam_ * beam_);
  transformer_.begin_decoding(space_.context, source, space_.cache);
}

// The likeliest of the continuations of all running hypotheses, sorted.
void BeamSearch::find_continuations(const Sentence& sentence, std::int64_t first_row,
                                    const Tensor& logits) {
  const std::size_t count = 2 * beam_;
  continuations_.clear();
  const auto prefix = input_.prefix(static_cast<std::size_t>(sentence.index));
  if (const auto position = static_cast<std::size_t>(length_ - 1); position < prefix.size()) {
    const Candidate c = candidate_of(logits, first_row, prefix[position]);
    const double before = sentence.running.front().log_probability;
    continuations_.push_back({0, {c.id, before + c.log_probability}});
    return;
  }
  for (std::size_t i = 0; i < sentence.running.size(); ++i) {
    best_candidates(logits, first_row + static_cast<std::int64_t>(i), count, candidates_);
    for (const Candidate& c : candidates_) {
      continuations_.push_back({static_cast<std::int32_t>(i),
                                {c.id, sentence.running[i].log_probability + c.log_probability}});
    }
  }
  const auto rank = [](const Continuation& c) {
    return std::tuple(-c.candidate.log_probability, c.running, c.candidate.id);
  };
  std::ranges::sort(continuations_, {}, rank);
  if (continuations_.size() > count) continuations_.resize(count);
}

void BeamSearch::end(Sentence& sentence, const Running& hypothesis, bool finished) const {
  const Ended ended{hypothesis.last, length_, hypothesis.log_probability,
                    normalised_score(hypothesis.log_probability, length_, options_.length_penalty),
                    finished};
  const auto place =
      std::ranges::upper_bound(sentence.ended, ended.score, std::greater(), &Ended::score);
  sentence.ended.insert(place, ended);
  if (sentence.ended.size() > beam_) sentence.ended.pop_back();
}

void BeamSearch::take_continuations(Sentence& sentence) {
  before_.swap(sentence.running);
  sentence.running.clear();
  row_of_.clear();
  for (std::size_t rank = 0; rank < continuations_.size(); ++rank) {
    const Continuation& c = continuations_[rank];
    const std::int32_t last = before_[static_cast<std::size_t>(c.running)].last;
    if (c.candidate.id == Vocabulary::kEnd) {
      if (rank < beam_) end(sentence, {last, c.candidate.log_probability}, true);
    } else if (sentence.running.size() < beam_) {
      sentence.running.push_back(
          {static_cast<std::int32_t>(tokens_.size()), c.candidate.log_probability});
      tokens_.push_back({c.candidate.id, last});
      row_of_.push_back(c.running);
    }
  }
}

bool BeamSearch::is_done(const Sentence& sentence) const {
  if (sentence.running.empty() || length_ >= sentence.limit) return true;
  if (sentence.ended.size() < beam_) return false;
  const double best =
      normalised_score(sentence.running.front().log_probability, length_, options_.length_penalty);
  return best <= sentence.ended.back().score;
}

// Every running hypothesis by one token; sentences that are done leave.
void BeamSearch::advance(const Tensor& logits) {
  ++length_;
  ids_.clear();
  parents_.clear();
  std::int64_t row = 0;
  for (Sentence& sentence : sentences_) {
    const auto rows = static_cast<std::int64_t>(sentence.running.size());
    find_continuations(sentence, row, logits);
    take_continuations(sentence);
    sentence.done = is_done(sentence);
    if (sentence.done) {
      const bool cut = length_ >= sentence.limit;
      for (const Running& r : sentence.running) {
        if (cut) end(sentence, r, false);
      }
      auto& result = results_[static_cast<std::size_t>(sentence.index)];
      result.reserve(sentence.ended.size());
      for (const Ended& e : sentence.ended) result.push_back(hypothesis_of(e));
    } else {
      for (std::size_t i = 0; i < sentence.running.size(); ++i) {
        ids_.push_back(tokens_[static_cast<std::size_t>(sentence.running[i].last)].id);
        parents_.push_back(static_cast<std::int32_t>(row) + row_of_[i]);
      }
    }
    row += rows;
  }
  std::erase_if(sentences_, [](const Sentence& s) { return s.done; });
}

Hypothesis BeamSearch::hypothesis_of(const Ended& ended) const {
  Hypothesis hypothesis{.ids = {},
                        .log_probability = ended.log_probability,
                        .score = ended.score,
                        .finished = ended.finished};
  hypothesis.ids.resize(static_cast<std::size_t>(ended.length) - (ended.finished ? 1 : 0));
  std::int32_t at = ended.last;
  for (auto id = hypothesis.ids.rbegin(); id != hypothesis.ids.rend(); ++id) {
    const Token& token = tokens_[static_cast<std::size_t>(at)];
    *id = token.id;
    at = token.before;
  }
  return hypothesis;
}

std::vector<std::vector<Hypothesis>> BeamSearch::run() {
  if (input_.source.sequences.empty()) return {};
  begin();
  for (;;) {
    space_.context.begin(Mode::kInference);
    const Tokens next{ids_, Sequences(one_each_).first(ids_.size())};
    const Tensor states = transformer_.decode(space_.context, next, space_.cache);
    advance(transformer_.logits(space_.context, states));
    if (sentences_.empty()) return std::move(results_);
    space_.cache.select(parents_);
    while (one_each_.size() < ids_.size()) {
      one_each_.push_back({static_cast<std::int32_t>(one_each_.size()), 1});
    }
  }
}

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(const Transformer& transformer,
                                                 const DecodingInput& input,
                                                 const BeamOptions& options, DecodingSpace& space) {
  return BeamSearch(transformer, input, options, space).run();
}

}  // namespace heddle
