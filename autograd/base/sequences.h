// Packed batches: real tokens only, sentence after sentence, in one matrix [tokens, d_model].
//
// The table says where each sentence begins and how long it is. Only attention, positions and
// embeddings look at it; everything else sees rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heddle {

struct Sequence {
  std::int32_t begin;   // first row
  std::int32_t length;  // rows, at least one
};

/// The sentences of a batch in row order, without gaps.
using Sequences = std::span<const Sequence>;

/// The table for sentences of these lengths, one after the other.
std::vector<Sequence> packed(std::span<const std::int32_t> lengths);

/// All rows of the table.
std::int64_t total_length(Sequences sequences);

/// Throws, naming `op`, unless the table covers rows 0 to `rows` without gap or overlap and no
/// sentence is empty.
void check_sequences(const char* op, Sequences sequences, std::int64_t rows);

}  // namespace heddle
