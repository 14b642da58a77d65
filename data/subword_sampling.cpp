#include "data/subword_sampling.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "autograd/base/random.h"
#include "data/utf8.h"

namespace heddle {

namespace {

/// Uniform numbers in [0, 1) that depend on one number alone.
class Uniform {
 public:
  explicit Uniform(std::uint64_t random)
      : key_{static_cast<std::uint32_t>(random), static_cast<std::uint32_t>(random >> 32)} {}

  double operator()() {
    const PhiloxCounter bits = philox({drawn_++, 0, 0, 0}, key_);
    return unit_interval(bits[0], bits[1]);
  }

 private:
  PhiloxKey key_;
  std::uint32_t drawn_ = 0;
};

/// As SentencePiece: what is unknown in a row is one id.
void append(std::int32_t id, std::size_t begin, std::vector<std::int32_t>& ids) {
  const bool repeated = ids.size() > begin && ids.back() == Vocabulary::kUnknown;
  if (id != Vocabulary::kUnknown || !repeated) ids.push_back(id);
}

}  // namespace

SubwordSampler::SubwordSampler(const SentencePieceModel& model, double alpha)
    : algorithm_(model.algorithm), alpha_(alpha) {
  constexpr double kUnknownPenalty = 10.0;  // SentencePiece's
  float least = 0;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePieceModel::Piece& piece = model.pieces[id];
    scores_.push_back(piece.score);
    if (id < Vocabulary::kFirstPiece) continue;
    least = std::min(least, piece.score);
    std::size_t end = 0;
    for (const CodePoint& c : CodePoints(piece.text)) {
      end += c.bytes.size();
      ids_.emplace(piece.text.substr(0, end), kPrefix);
    }
    ids_[piece.text] = static_cast<std::int32_t>(id);
  }
  unknown_score_ = least - kUnknownPenalty;
}

void SubwordSampler::sample(std::string_view text, std::uint64_t random,
                            std::vector<std::int32_t>& ids) const {
  if (algorithm_ == SentencePieceModel::Algorithm::kUnigram) {
    sample_unigram(text, random, ids);
  } else {
    sample_bpe(text, random, ids);
  }
}

void SubwordSampler::edges_of(std::string_view text, std::vector<Edge>& edges) const {
  edges.clear();
  const std::size_t first = first_code_point(text).bytes.size();
  std::size_t end = 0;
  for (const CodePoint& c : CodePoints(text)) {
    end += c.bytes.size();
    const auto at = ids_.find(text.substr(0, end));
    if (at == ids_.end()) break;
    if (at->second == kPrefix) continue;
    edges.push_back({end, at->second, alpha_ * scores_[static_cast<std::size_t>(at->second)]});
  }
  const bool known = !edges.empty() && edges.front().bytes == first;
  if (!known) edges.push_back({first, Vocabulary::kUnknown, alpha_ * unknown_score_});
}

// rest[i] = log of the sum over all segmentations of the text from byte i on, from the back; then a
// walk from the front that takes each edge with its share.
void SubwordSampler::sample_unigram(std::string_view text, std::uint64_t random,
                                    std::vector<std::int32_t>& ids) const {
  std::vector<double> rest(text.size() + 1, 0.0);
  std::vector<Edge> edges;
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size();) {
    starts.push_back(at);
    at += first_code_point(text.substr(at)).bytes.size();
  }
  for (auto start = starts.rbegin(); start != starts.rend(); ++start) {
    edges_of(text.substr(*start), edges);
    double largest = -std::numeric_limits<double>::infinity();
    for (Edge& edge : edges) {
      edge.weight += rest[*start + edge.bytes];
      largest = std::max(largest, edge.weight);
    }
    double sum = 0;
    for (const Edge& edge : edges) sum += std::exp(edge.weight - largest);
    rest[*start] = largest + std::log(sum);
  }
  Uniform uniform(random);
  const std::size_t begin = ids.size();
  for (std::size_t at = 0; at < text.size();) {
    edges_of(text.substr(at), edges);
    double left = uniform();
    std::size_t chosen = 0;
    for (;; ++chosen) {
      const Edge& edge = edges[chosen];
      left -= std::exp(edge.weight + rest[at + edge.bytes] - rest[at]);
      if (left < 0 || chosen + 1 == edges.size()) break;
    }
    append(edges[chosen].id, begin, ids);
    at += edges[chosen].bytes;
  }
}

/// The state of BPE: the text as a list of symbols, and the merges that could be done.
class SubwordSampler::Merging {
 public:
  Merging(const SubwordSampler& sampler, std::string_view text) : sampler_(sampler), text_(text) {
    for (std::size_t at = 0; at < text.size(); at += symbols_.back().bytes) {
      const std::size_t bytes = first_code_point(text.substr(at)).bytes.size();
      symbols_.push_back({at, bytes, symbols_.size() - 1, symbols_.size() + 1});
    }
    for (std::size_t i = 1; i < symbols_.size(); ++i) propose(i - 1, i);
  }

  /// Does the merges in the order in which they were learned, each but with probability `alpha`.
  void run(double alpha, Uniform& uniform) {
    while (!merges_.empty()) {
      const Merge merge = merges_.top();
      merges_.pop();
      Symbol& left = symbols_[merge.left];
      const std::size_t right = left.next;
      // A symbol that has merged otherwise in the meantime has another length.
      if (left.bytes == 0 || right != merge.right ||
          left.bytes + symbols_[right].bytes != merge.bytes) {
        continue;
      }
      if (uniform() < alpha) continue;
      left.bytes = merge.bytes;
      left.next = symbols_[right].next;
      symbols_[right].bytes = 0;
      if (left.next < symbols_.size()) symbols_[left.next].previous = merge.left;
      propose(left.previous, merge.left);
      propose(merge.left, left.next);
    }
  }

  void append_ids(std::vector<std::int32_t>& ids) const {
    const std::size_t begin = ids.size();
    for (std::size_t i = 0; i < symbols_.size(); i = symbols_[i].next) {
      append(sampler_.id_of(text_.substr(symbols_[i].begin, symbols_[i].bytes)), begin, ids);
    }
  }

 private:
  struct Symbol {
    std::size_t begin, bytes;    // no bytes where it was merged into the one before
    std::size_t previous, next;  // beyond the last index where there is none
  };
  struct Merge {
    float score;
    std::size_t left, right, bytes;
    /// Whether it comes later.
    bool operator<(const Merge& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void propose(std::size_t left, std::size_t right) {
    if (left >= symbols_.size() || right >= symbols_.size()) return;
    const std::size_t bytes = symbols_[left].bytes + symbols_[right].bytes;
    const std::int32_t id = sampler_.id_of(text_.substr(symbols_[left].begin, bytes));
    if (id == Vocabulary::kUnknown) return;
    merges_.push({sampler_.scores_[static_cast<std::size_t>(id)], left, right, bytes});
  }

  const SubwordSampler& sampler_;
  std::string_view text_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Merge> merges_;
};

void SubwordSampler::sample_bpe(std::string_view text, std::uint64_t random,
                                std::vector<std::int32_t>& ids) const {
  Uniform uniform(random);
  Merging merging(*this, text);
  merging.run(alpha_, uniform);
  merging.append_ids(ids);
}

std::int32_t SubwordSampler::id_of(std::string_view piece) const {
  const auto at = ids_.find(piece);
  return at == ids_.end() || at->second == kPrefix ? Vocabulary::kUnknown : at->second;
}

}  // namespace heddle
