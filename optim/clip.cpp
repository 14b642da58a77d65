#include "optim/clip.h"

#include <algorithm>

namespace heddle {

double clip_scale(double norm, double clip_norm) {
  return clip_norm > 0.0 ? std::min(1.0, clip_norm / (norm + 1e-6)) : 1.0;
}

}  // namespace heddle
