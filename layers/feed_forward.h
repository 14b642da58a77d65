// The position-wise feed-forward network (Vaswani et al. 2017, section 3.3, equation 2):
//
//   FFN(x) = output(activation(hidden(x)))
//
// and its gated form (Shazeer 2020, "GLU variants improve Transformer"), where `gate` and `hidden`
// are one product:
//
//   FFN(x) = output(activation(gate(x)) * hidden(x))
#pragma once

#include "configs/config.h"
#include "layers/linear.h"

namespace heddle {

class FeedForward {
 public:
  /// In layer `depth` of its stack, counted from 1.
  FeedForward(const Scope& scope, const Config& config, std::int64_t d_model, int depth);

  /// x [tokens, d_model] -> the same shape. Dropout, at "activation_dropout", falls on the hidden
  /// values.
  Tensor operator()(Context& context, const Tensor& x) const;

 private:
  struct Options;
  FeedForward(const Scope& scope, const Options& options, std::int64_t d_model);

  Activation activation_;
  bool gated_;
  double dropout_;
  Linear hidden_;  // [d_ff, d_model]; gated: gate and hidden, [2 d_ff, d_model]
  Linear output_;  // [d_model, d_ff]
};

}  // namespace heddle
