// The exponential moving average of the weights (Polyak and Juditsky 1992; the form of Kingma and
// Ba 2015, section 7.2): behind every update
//
//   average <- d average + (1 - d) weights,    d = min(decay, (1 + t) / (10 + t))
//
// for update t. The factor that grows with t lets it forget the first weights soon.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "autograd/parameter.h"

namespace heddle {

class MovingAverage {
 public:
  /// The store must outlive it and be allocated, as its weights are what the average begins with.
  MovingAverage(ParameterStore& store, double decay);

  /// After update `update`, counted from 1. Bits do not depend on `threads`.
  void follow(std::int64_t update, int threads);

  /// As parameters in a file. Throws FileError.
  void save(const std::filesystem::path& file);
  /// What save() wrote; throws FileError where that is of another model.
  void load(const std::filesystem::path& file);

  /// As long as it lives the store has the average in place of the weights.
  class InUse {
   public:
    explicit InUse(MovingAverage& average) : average_(average) { swap(); }
    ~InUse() { swap(); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    void swap() { average_.store_.swap_slab(average_.slab_); }
    MovingAverage& average_;
  };

 private:
  ParameterStore& store_;
  double decay_;
  std::shared_ptr<void> slab_;
};

}  // namespace heddle
