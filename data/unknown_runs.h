// Long runs of characters that no piece of a SentencePiece model has.
//
// SentencePiece makes one unknown id of such a run, in time that grows with the square of its
// length. Here a long run becomes one character that is unknown as well, so that the ids are the
// same and the time grows with the length of the text alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/normalisation_table.h"
#include "data/sentencepiece_model.h"

namespace heddle {

class UnknownRuns {
 public:
  /// The bytes of the model must outlive this.
  explicit UnknownRuns(const SentencePieceModel& model);

  struct Shortened {
    struct Cut {
      std::size_t end;      // of the character that stands for a run
      std::size_t missing;  // how much longer the run is, in bytes
    };
    std::string text;
    std::vector<Cut> cuts;

    /// The place in the original text of a place in `text` that is not within a run.
    std::size_t original(std::size_t at) const;
  };
  /// Nothing where there is no long run.
  std::optional<Shortened> shorten(std::string_view text) const;

 private:
  bool unknown(std::string_view normalised) const;
  std::string normalised(std::string_view text) const;

  NormalisationTable table_;
  std::vector<bool> known_;  // by code point
};

}  // namespace heddle
