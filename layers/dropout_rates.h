// The rates of dropout. There are four places: embeddings
// (embedding.h), attention weights (attention.h), hidden values (feed_forward.h) and the output of
// every sublayer before it is added to the residual stream (stack.h).
#pragma once

#include "configs/config.h"

namespace heddle {

/// The rate under `key` or, as by default, that under "dropout".
inline double dropout_rate(const Config& config, std::string_view key, std::string_view about) {
  const double general = config.number("dropout", 0.1, Numbers::probability(),
                                       "Dropout of embeddings and of every sublayer's output.");
  const auto own = config.number_or(key, "dropout", Numbers::probability(), about);
  if (own) config.idle("dropout", key, " and its like take its place everywhere");
  return own.value_or(general);
}

}  // namespace heddle
