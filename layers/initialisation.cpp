#include "layers/initialisation.h"

#include <cmath>

namespace heddle {

namespace {

constexpr Named<InitialisationScheme> kSchemes[] = {
    {"xavier_uniform", InitialisationScheme::kXavierUniform},
    {"normal", InitialisationScheme::kNormal},
    {"depth_scaled", InitialisationScheme::kDepthScaled},
};

}  // namespace

Initialisation::Initialisation(const Config& config)
    : scheme_(config.choice("initialisation", "xavier_uniform", kSchemes,
                            "How fresh weights are drawn.")) {
  deviation_ = config.number("init_std", 0.02, Numbers::positive(),
                             "Standard deviation of the weights, where they are normal.");
  if (scheme_ != InitialisationScheme::kNormal) {
    config.idle("init_std", "it is for the initialisation \"normal\"");
  }
}

Initialiser Initialisation::matrix(std::int64_t in, std::int64_t out, int depth) const {
  if (scheme_ == InitialisationScheme::kNormal) return Initialiser::normal(deviation_);
  Initialiser xavier = Initialiser::xavier_uniform(in, out);
  if (scheme_ == InitialisationScheme::kDepthScaled) xavier.value /= std::sqrt(depth);
  return xavier;
}

Initialiser Initialisation::table(std::int64_t d_model) const {
  if (scheme_ == InitialisationScheme::kNormal) return Initialiser::normal(deviation_);
  return Initialiser::normal(1.0 / std::sqrt(static_cast<double>(d_model)));
}

}  // namespace heddle
