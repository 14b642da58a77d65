#include "optim/update.h"

#include <algorithm>

#include "autograd/base/aligned.h"

namespace heddle {

namespace {

constexpr std::int64_t kPiece = 16384;

bool same(const SlabRange& range, const ParameterRule& rule) {
  return range.learning_rate_factor == rule.learning_rate_factor &&
         range.weight_decay == rule.weight_decay;
}

}  // namespace

std::vector<SlabRange> trained_ranges(const ParameterStore& store,
                                      std::span<const ParameterRule> rules) {
  std::vector<SlabRange> whole;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const ParameterStore::Entry& entry = store.entries()[i];
    if (rules[i].frozen) continue;
    const std::int64_t end = entry.offset + entry.shape.elements();
    if (!whole.empty() && whole.back().end == entry.offset && same(whole.back(), rules[i])) {
      whole.back().end = end;
    } else {
      whole.push_back({entry.offset, end, rules[i].learning_rate_factor, rules[i].weight_decay});
    }
  }
  std::vector<SlabRange> pieces;
  for (SlabRange piece : whole) {
    const std::int64_t end = piece.end;
    for (; piece.begin < end; piece.begin = piece.end) {
      piece.end = std::min(end, piece.begin + kPiece);
      pieces.push_back(piece);
    }
  }
  return pieces;
}

void Moment::allocate(const ParameterStore& store) {
  slab_ = allocate_zeros(static_cast<std::size_t>(store.elements()) * size_of(store.dtype()));
}

void Moment::add_state(const char* prefix, const ParameterStore& store,
                       std::span<const ParameterRule> rules,
                       std::vector<StateTensor>& state) const {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const ParameterStore::Entry& entry = store.entries()[i];
    if (rules[i].frozen) continue;
    const auto offset = static_cast<std::size_t>(entry.offset) * size_of(store.dtype());
    state.push_back({std::string(prefix).append(".").append(entry.name), entry.shape,
                     static_cast<std::byte*>(slab_.get()) + offset});
  }
}

}  // namespace heddle
