// Draws sentences of the toy language: sentence number i of a seed is a pure function of both.
//
// Choices are Philox bits scaled by a multiplication, not std distributions, whose results differ
// between standard libraries.
#pragma once

#include <cstdint>

#include "autograd/base/random.h"
#include "data/toy/grammar.h"

namespace heddle::toy {

/// A sequence of random choices, one for each (seed, purpose, index).
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index)
      : stream_(random_stream({.seed = seed}, purpose)), index_(index) {}

  /// 0 to count - 1.
  std::size_t below(std::size_t count);
  bool percent(std::size_t probability) { return below(100) < probability; }

  template <class Range>
  const auto& of(const Range& range) {
    return range[below(range.size())];
  }

 private:
  RandomStream stream_;
  std::uint64_t index_;
  std::uint32_t used_ = 0;
};

Sentence sample_sentence(std::uint64_t seed, std::uint64_t index);

}  // namespace heddle::toy
