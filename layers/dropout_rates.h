// The rate that dropout has where a config names no other. There are four places: embeddings
// (embedding.h), attention weights (attention.h), hidden values (feed_forward.h) and the output of
// every sublayer before it is added to the residual stream (stack.h).
#pragma once

#include "configs/config.h"

namespace heddle {

inline double general_dropout(const Config& config) {
  return config.number("dropout", 0.1, Numbers::probability(),
                       "Dropout of embeddings and of every sublayer's output.");
}

}  // namespace heddle
