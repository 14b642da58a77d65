// SentencePiece's table of normalisation: the size of a trie, the trie, and the texts that its
// leaves point into, each with a zero at its end. The trie is a double array (darts-clone) of
// 32-bit units; from unit p, a byte b leads to the unit p ^ offset(p) ^ b.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heddle {

class NormalisationTable {
 public:
  /// An empty table changes nothing. Throws Error where the bytes are none. They must outlive this.
  explicit NormalisationTable(std::string_view table);

  /// Throws Error unless, whatever text is looked up, neither the trie nor the texts are left.
  void check_bounds() const;

  struct Step {
    std::size_t bytes;      // of what it takes from the text
    std::string_view text;  // what becomes of it
  };
  /// What SentencePiece does at the beginning of a text that is not empty: the longest entry of the
  /// table, or one character as it is.
  Step step(std::string_view text) const;

 private:
  std::uint32_t unit_at(std::uint32_t p) const;
  void check_text(std::uint32_t begin) const;

  std::string_view trie_, texts_;
};

}  // namespace heddle
