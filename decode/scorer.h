// How probable given outputs are to a model.
#pragma once

#include <span>
#include <vector>

#include "data/batch.h"
#include "layers/transformer.h"

namespace heddle {

/// The negative log-likelihood of all target tokens of each batch, ends included. Bits do not
/// depend on the number of threads.
std::vector<double> negative_log_likelihoods(const Transformer& transformer,
                                             std::span<const PackedPairs> batches, int threads);

/// Their sum.
double negative_log_likelihood(const Transformer& transformer, std::span<const PackedPairs> batches,
                               int threads);

}  // namespace heddle
