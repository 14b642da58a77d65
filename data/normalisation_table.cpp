#include "data/normalisation_table.h"

#include "autograd/base/check.h"
#include "data/utf8.h"

namespace heddle {

namespace {

constexpr std::uint32_t kIsLeaf = 1u << 31, kHasLeaf = 1u << 8, kLabel = kIsLeaf | 0xFFu;

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint32_t offset_of(std::uint32_t unit) {
  return unit >> 10 << ((unit & (1u << 9)) >> 6);
}

}  // namespace

NormalisationTable::NormalisationTable(std::string_view table) {
  if (table.empty()) return;
  check(table.size() > 4, "the normalisation table is cut off");
  const std::uint32_t size = little_endian(table, 0);
  check(size <= table.size() - 4, "the normalisation table is cut off");
  trie_ = table.substr(4, size);
  texts_ = table.substr(4 + size);
  check(!trie_.empty() && trie_.size() % 4 == 0, "the normalisation trie has half a unit");
  check(!texts_.empty() && texts_.back() == '\0' && !first_invalid_byte(texts_),
        "the normalisation texts are damaged");
}

void NormalisationTable::check_bounds() const {
  for (std::uint32_t p = 0; p < trie_.size() / 4; ++p) {
    const std::uint32_t unit = unit_at(p);
    if (p > 0 && (unit & kIsLeaf) != 0) continue;  // never walked through
    const std::uint32_t next = p ^ offset_of(unit);
    check((next | 0xFFu) < trie_.size() / 4, "the normalisation trie leads out of itself");
    if ((unit & kHasLeaf) != 0) check_text(unit_at(next) & ~kIsLeaf);
  }
}

NormalisationTable::Step NormalisationTable::step(std::string_view text) const {
  Step longest{0, {}};
  std::uint32_t p = trie_.empty() ? 0 : offset_of(unit_at(0));
  for (std::size_t i = 0; i < text.size() && !trie_.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    p ^= byte;
    const std::uint32_t unit = unit_at(p);
    if ((unit & kLabel) != byte) break;
    p ^= offset_of(unit);
    if ((unit & kHasLeaf) == 0) continue;
    const std::string_view rest = texts_.substr(unit_at(p) & ~kIsLeaf);
    longest = {i + 1, rest.substr(0, rest.find('\0'))};
  }
  if (longest.bytes > 0) return longest;
  const CodePoint first = first_code_point(text);
  if (!first.valid) return {1, kReplacementCharacter};
  return {first.bytes.size(), first.bytes};
}

std::uint32_t NormalisationTable::unit_at(std::uint32_t p) const {
  return little_endian(trie_, std::size_t{p} * 4);
}

void NormalisationTable::check_text(std::uint32_t begin) const {
  check(begin < texts_.size() && (texts_[begin] & 0xC0) != 0x80,
        "the normalisation trie points at no text");
}

}  // namespace heddle
