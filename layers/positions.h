// Where a token stands (Vaswani et al. 2017, section 3.5), by the config's "positions":
//
//   sinusoidal  a table that is computed: P[p] = [sin(p w_0), ... | cos(p w_0), ...] with
//               w_j = 10000^(-2j / d_model), added to the embedding
//   learned     a table that is trained, [max_positions, d_model], added to the embedding
//   rotary      nothing is added; self-attention turns its queries and keys instead (Su et al.
//               2021, "RoFormer"; see multi_head_attention.h)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "autograd/context.h"
#include "autograd/parameter.h"
#include "configs/config.h"

namespace heddle {

enum class PositionKind { kSinusoidal, kLearned, kRotary };

/// Reads "positions".
PositionKind position_kind(const Config& config);

/// Sinusoids for as many positions as were ever asked for; used by all lanes at once.
class SinusoidTable {
 public:
  SinusoidTable(std::int64_t d_model, DType dtype);
  ~SinusoidTable();
  SinusoidTable(const SinusoidTable&) = delete;
  SinusoidTable& operator=(const SinusoidTable&) = delete;

  /// A table [length or more, d_model] as a tensor of the running step.
  Tensor operator()(Context& context, std::int64_t length) const;

 private:
  struct Rows;
  std::int64_t d_model_;
  DType dtype_;
  std::unique_ptr<Rows> rows_;
};

class Positions {
 public:
  /// Declares `scope`.weight where positions are learned.
  Positions(const Scope& scope, const Config& config, std::int64_t d_model);

  /// What is added to the embeddings of positions 0 to `length` - 1: a table with at least that
  /// many rows, as far as there are so many (learned); an empty Tensor where nothing is added.
  Tensor operator()(Context& context, std::int64_t length) const;

  /// How many tokens a sentence may have.
  std::int64_t longest() const { return learned_ ? learned_->shape()[0] : kUnlimited; }

 private:
  static constexpr std::int64_t kUnlimited = std::int64_t{1} << 30;  // rows are counted in 32 bits

  std::shared_ptr<const SinusoidTable> sinusoids_;
  std::optional<Parameter> learned_;
};

}  // namespace heddle
