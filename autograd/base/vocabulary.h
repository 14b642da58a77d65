// The contract of every vocabulary: which ids mean something.
//
// Of V ids, 0 ends a sentence, 1 stands for what the vocabulary lacks, pieces follow from 2, and
// the last one is both padding and the start of a target. Nothing reads the table row of the last
// one: embedding it yields zeros, and it is no class of the output. So its gradient is zero.
#pragma once

#include <cstdint>

namespace heddle {

struct Vocabulary {
  static constexpr std::int32_t kEnd = 0;      // eos
  static constexpr std::int32_t kUnknown = 1;  // unk
  static constexpr std::int32_t kFirstPiece = 2;
  static constexpr std::int32_t kSmallest = 3;  // end, unknown, start

  std::int32_t size = kSmallest;  // V, the start counted

  std::int32_t start() const { return size - 1; }
  std::int32_t padding() const { return size - 1; }
  /// What a model chooses from: all ids but the last.
  std::int32_t classes() const { return size - 1; }

  friend bool operator==(const Vocabulary&, const Vocabulary&) = default;
};

}  // namespace heddle
