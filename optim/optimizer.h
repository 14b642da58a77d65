// The optimizer of a config: which algorithm, with what for which parameter.
//
//   Optimizer optimizer(root.object("optimizer", "How weights change."), store);
//   document.finish();
//   store.allocate();
//   optimizer.allocate();
//   ...
//   const double norm = gradient_norm(gradients, threads);
//   optimizer.step(gradients, schedule(update), update, clip_scale(norm, clip_norm), threads);
//
// Two phases as in the store: reading, which declares, then memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "autograd/gradient_slab.h"
#include "autograd/parameter.h"
#include "autograd/safetensors.h"
#include "configs/config.h"
#include "optim/adafactor.h"
#include "optim/adam.h"
#include "optim/groups.h"
#include "optim/sgd.h"

namespace heddle {

class Optimizer {
 public:
  /// Phase one: reads "type", the keys of that type, "weight_decay" and "groups", and freezes in
  /// the store what they freeze. All parameters must be declared; the store must outlive the
  /// optimizer.
  Optimizer(const Config& optimizer, ParameterStore& store);

  /// Phase two, once the config is known to be right: the state, all zero.
  void allocate();

  /// Changes the parameters of the store. `update` counts from 1, `gradient_scale` is that of
  /// clipping (clip.h). Bits do not depend on `threads`. Unwritten gradients must have been cleared
  /// (sum_lanes, GradientSlab::clear_unwritten).
  void step(const GradientSlab& gradients, double learning_rate, std::int64_t update,
            double gradient_scale, int threads);

  /// What a checkpoint keeps, as views; frozen parameters have no state.
  std::vector<TensorToWrite> state() const;
  /// The name of the first tensor of the state with a number that is not finite; empty where all
  /// are.
  std::string bad_state() const;
  /// Takes the state from a file that holds nothing else. Throws FileError with all names that are
  /// missing, unexpected or of another shape or type; then nothing has changed.
  void load_state(const SafetensorsFile& file);

  std::span<const ParameterRule> rules() const { return rules_; }

 private:
  using Algorithm = std::variant<Adam, Sgd, Adafactor>;
  static Algorithm read_algorithm(const Config& optimizer);
  std::vector<StateTensor> tensors() const;

  ParameterStore* store_;
  Algorithm algorithm_;
  std::vector<ParameterRule> rules_;
  bool allocated_ = false;
};

}  // namespace heddle
