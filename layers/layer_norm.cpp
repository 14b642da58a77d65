#include "layers/layer_norm.h"

namespace heddle {

namespace {

struct Kind {
  bool has_bias;
  double eps;
};

constexpr Named<Kind> kNorms[] = {
    {"layer_norm", {.has_bias = true, .eps = 1e-5}},
    {"rms_norm", {.has_bias = false, .eps = 1e-6}},
};

}  // namespace

Norm::Norm(const Scope& scope, const Config& config, std::int64_t d_model)
    : gain(scope.declare("gain", {d_model}, Initialiser::constant(1.0))) {
  const Kind& kind = config.choice("norm", "layer_norm", kNorms, "The normalisation.");
  if (kind.has_bias) bias = scope.declare("bias", {d_model}, Initialiser::constant(0.0));
  eps = config.number("norm_eps", kind.eps, Numbers::positive(),
                      "What keeps the normalisation from dividing by zero.");
}

Tensor Norm::operator()(Context& context, const Tensor& x) const {
  if (!bias) return rms_norm(context, x, context.use(gain), eps);
  return layer_norm(context, x, context.use(gain), context.use(*bias), eps);
}

ResidualNorm Norm::of_residual(Context& context, const Tensor& x, const Tensor& delta,
                               double dropout) const {
  const Tensor shift = bias ? context.use(*bias) : Tensor{};
  return residual_norm(context, x, delta, context.use(gain), shift, dropout, eps);
}

}  // namespace heddle
