// From token ids to vectors.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/base/sequences.h"
#include "autograd/context.h"
#include "autograd/tensor.h"

namespace heddle {

struct EmbedOptions {
  double scale = 1.0;  // of the table's rows: sqrt(d_model) in the paper, section 3.4
  double dropout = 0.0;
  std::int32_t zero_id = -1;                      // gives a zero row and no gradient; -1: none
  std::span<const std::int32_t> first_positions;  // per sentence, for decoding; empty: all 0
};

/// scale * table[id] + positions[position in its sentence], then dropout: [tokens, d_model].
/// table [vocabulary, d_model]; positions [longest, d_model] or an empty Tensor: none. Throws where
/// an id is outside the vocabulary or a sentence is longer than the table of positions.
Tensor embed(Context& context, const Tensor& table, const Tensor& positions,
             std::span<const std::int32_t> ids, Sequences sequences,
             const EmbedOptions& options = {});

/// The sinusoids of section 3.5, [length, d_model], halves [sin | cos]; d_model must be even.
Tensor sinusoidal_positions(Context& context, std::int64_t length, std::int64_t d_model,
                            DType dtype);

}  // namespace heddle
