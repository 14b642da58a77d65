// How probable given outputs are to a model.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "decode/trained_model.h"

namespace heddle {

/// Appends a pair of lines, unless the model cannot read it: a side has no text, or more than
/// TrainedModel::longest_line() or the model's positions. Says whether it did.
bool append_readable(const TrainedModel& model, std::string_view source, std::string_view target,
                     PackedPairs& pairs);

/// The negative log-likelihood of all target tokens of each batch, ends included. Bits do not
/// depend on the number of threads.
std::vector<double> negative_log_likelihoods(const Transformer& transformer,
                                             std::span<const PackedPairs> batches, int threads);

/// Their sum.
double negative_log_likelihood(const Transformer& transformer, std::span<const PackedPairs> batches,
                               int threads);

}  // namespace heddle
