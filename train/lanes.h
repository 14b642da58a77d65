// Forward and backward of one update, in lanes: each lane has its sentences, its memory and its
// gradients; all read the same weights. Nothing is shared within a step, and the gradients are
// added in a fixed tree, so that results depend on the number of lanes, never on that of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "autograd/gradient_slab.h"
#include "autograd/numeric_guard.h"
#include "layers/transformer.h"
#include "train/update_profile.h"

namespace heddle {

/// The examples of each lane in one micro-batch; a lane may have none.
using MicroBatch = std::vector<Examples>;

struct LaneOptions {
  int lanes = 1;
  int threads = 1;  // in all
  double label_smoothing = 0.0;
};

struct UpdateResult {
  double loss = 0.0;           // per target token, with label smoothing and dropout
  double gradient_norm = 0.0;  // of all lanes and micro-batches together
  std::int64_t target_tokens = 0;
};

class Lanes {
 public:
  /// Both must outlive the lanes; the store is allocated.
  Lanes(const Transformer& transformer, const ParameterStore& store, const LaneOptions& options);

  /// The gradients of the mean loss over all target tokens of all micro-batches, into gradients().
  /// `key` is that of the first micro-batch in the first lane. Throws what a lane throws.
  UpdateResult run(std::span<const MicroBatch> micro_batches, const StepKey& key);

  /// Computes an update again and looks at every number: where the first is that is not finite.
  /// Empty where all are, as when only their sum over the lanes is not.
  std::optional<NonFinite> find_non_finite(std::span<const MicroBatch> micro_batches,
                                           const StepKey& key);

  /// The negative log-likelihood of all target tokens, without smoothing and dropout: a sum.
  double negative_log_likelihood(const MicroBatch& batch);

  /// Where not null, every run() adds its times; the profile must outlive its use.
  void set_profile(UpdateProfile* profile);

  /// Of the last run().
  const GradientSlab& gradients() const { return lanes_.front()->gradients; }
  int count() const { return static_cast<int>(lanes_.size()); }
  /// One for each lane, to be used by others between the runs: memory, not what is in it.
  std::vector<Context*> contexts() const;

 private:
  struct Lane {
    explicit Lane(const ParameterStore& store, int threads)
        : gradients(store), context(gradients, threads) {}

    GradientSlab gradients;
    Context context;
    std::vector<double> row_weights;
    double loss = 0.0;
  };
  void run_lane(Lane& lane, int index, std::span<const MicroBatch> micro_batches, StepKey key,
                double row_weight) const;

  const Transformer& transformer_;
  LaneOptions options_;
  int threads_per_lane_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<GradientSlab*> slabs_;
  UpdateProfile* profile_ = nullptr;
};

/// Target tokens of all lanes.
std::int64_t target_tokens(const MicroBatch& batch);

}  // namespace heddle
