// Random segmentations of a text into subwords (subword regularisation).
//
//   unigram: a segmentation with the pieces x_1 .. x_n has the probability prod p(x_i)^alpha / Z
//            (Kudo 2018, "Subword regularization"); drawn exactly, from the lattice of all of them.
//   BPE:     each merge that could be done is left out with probability alpha (Provilkov et al.
//            2020, "BPE-dropout").
//
// SentencePiece draws from the same distributions, but from generators per thread that cannot be
// set again; here a segmentation is a function of the text and of one number.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/piece_list.h"
#include "data/sentencepiece_model.h"

namespace heddle {

class SubwordSampler {
 public:
  SubwordSampler(const SentencePieceModel& model, double alpha);

  /// Appends the ids of a text as SentencePiece has normalised it: with U+2581 for blanks.
  void sample(std::string_view text, std::uint64_t random, std::vector<std::int32_t>& ids) const;

 private:
  static constexpr std::int32_t kPrefix = -1;  // of a piece, but none itself
  struct Edge {
    std::size_t bytes;
    std::int32_t id;
    double weight;  // alpha log p
  };
  class Merging;

  void sample_unigram(std::string_view text, std::uint64_t random,
                      std::vector<std::int32_t>& ids) const;
  void sample_bpe(std::string_view text, std::uint64_t random,
                  std::vector<std::int32_t>& ids) const;
  /// The pieces that `text` begins with, or unknown where no character begins one.
  void edges_of(std::string_view text, std::vector<Edge>& edges) const;
  /// kUnknown where there is no such piece.
  std::int32_t id_of(std::string_view piece) const;

  SentencePieceModel::Algorithm algorithm_;
  double alpha_;
  double unknown_score_;
  std::vector<float> scores_;  // by id
  TextMap<std::int32_t> ids_;  // of the pieces and their prefixes
};

}  // namespace heddle
