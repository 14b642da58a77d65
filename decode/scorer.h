// How probable given outputs are to a model.
#pragma once

#include <span>

#include "data/batch.h"
#include "layers/transformer.h"

namespace heddle {

/// The negative log-likelihood of all target tokens of all batches, ends included: a sum. Bits
/// depend on the batches, not on the number of threads.
double negative_log_likelihood(const Transformer& transformer, std::span<const PackedPairs> batches,
                               int threads);

}  // namespace heddle
