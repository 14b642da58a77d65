// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), as
// torch.optim computes them; a is the learning rate, w the weight decay, t the update.
//
//   Adam: g += w p        AdamW: p -= a w p
//   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2
//   p -= a / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)
//
// One pass reads p, g, m, v and writes p, m, v.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "configs/config.h"
#include "optim/update.h"

namespace heddle {

class Adam {
 public:
  /// Reads "betas" and "eps".
  Adam(const Config& config, bool decoupled_decay);

  void allocate(const ParameterStore& store, std::span<const ParameterRule> rules);
  void step(const UpdateInput& input);
  std::vector<StateTensor> state(const ParameterStore& store,
                                 std::span<const ParameterRule> rules) const;

 private:
  bool decoupled_decay_;
  double beta1_, beta2_, eps_;
  std::vector<SlabRange> ranges_;
  Moment first_, second_;
};

}  // namespace heddle
