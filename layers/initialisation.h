// How fresh weights are drawn, by the config's "initialisation":
//
//   xavier_uniform  matrices U(-b, b), b = sqrt(6 / (in + out)); tables N(0, 1 / d_model), so that
//                   scaled embeddings have variance 1: the paper's own code (tensor2tensor)
//   normal          everything N(0, init_std^2), as MarianMT does
//   depth_scaled    xavier_uniform, where layer l of its stack has b / sqrt(l) (Zhang et al. 2019,
//                   "Improving deep Transformer with depth-scaled initialization", equation 6)
//
// Query, key and value are matrices of their own here, although one product multiplies all three.
// Biases begin at 0, gains at 1.
#pragma once

#include <cstdint>

#include "autograd/parameter.h"
#include "configs/config.h"

namespace heddle {

enum class InitialisationScheme { kXavierUniform, kNormal, kDepthScaled };

class Initialisation {
 public:
  explicit Initialisation(const Config& config);

  /// Of a matrix [out, in] in layer `depth` of its stack, counted from 1.
  Initialiser matrix(std::int64_t in, std::int64_t out, int depth) const;
  /// Of a table of embeddings or positions [rows, d_model].
  Initialiser table(std::int64_t d_model) const;

 private:
  InitialisationScheme scheme_;
  double deviation_;  // of kNormal
};

}  // namespace heddle
