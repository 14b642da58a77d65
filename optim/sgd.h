// Stochastic gradient descent with momentum (Sutskever et al. 2013), as torch.optim.SGD computes it
// without dampening; a is the learning rate, w the weight decay.
//
//   g += w p,   b = momentum b + g,   p -= a b        (nesterov: p -= a (g + momentum b))
//
// Without momentum nothing is kept.
#pragma once

#include <span>
#include <vector>

#include "configs/config.h"
#include "optim/update.h"

namespace heddle {

class Sgd {
 public:
  /// Reads "momentum" and "nesterov".
  explicit Sgd(const Config& config);

  void allocate(const ParameterStore& store, std::span<const ParameterRule> rules);
  void step(const UpdateInput& input);
  std::vector<StateTensor> state(const ParameterStore& store,
                                 std::span<const ParameterRule> rules) const;

 private:
  double momentum_;
  bool nesterov_;
  std::vector<SlabRange> ranges_;
  Moment velocity_;
};

}  // namespace heddle
