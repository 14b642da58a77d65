#include "layers/feed_forward.h"

#include "autograd/ops/gated.h"
#include "autograd/ops/pointwise.h"
#include "layers/initialisation.h"

namespace heddle {

namespace {

constexpr Named<Activation> kActivations[] = {
    {"relu", Activation::kRelu}, {"gelu", Activation::kGelu}, {"silu", Activation::kSilu}};

Linear hidden_projection(const Scope& scope, std::int64_t d_model, std::int64_t d_ff, bool gated,
                         const Initialiser& initialiser) {
  if (!gated) return {scope / "hidden", d_model, d_ff, initialiser};
  return side_by_side(scope, d_model, {{"gate", d_ff, initialiser}, {"hidden", d_ff, initialiser}});
}

}  // namespace

struct FeedForward::Options {
  std::int64_t d_ff;
  Activation activation;
  bool gated;
  double dropout;
  Initialisation initialisation;
  int depth;

  Options(const Config& config, int layer)
      : d_ff(config.integer("d_ff", 2048, {1, 1 << 20},
                            "Width of the feed-forward network's hidden values.")),
        activation(config.choice("activation", "relu", kActivations,
                                 "Activation of the feed-forward network.")),
        gated(config.flag("gated", false,
                          "Whether the hidden values are multiplied by an activated gate.")),
        dropout(config.number("activation_dropout", 0.0, Numbers::probability(),
                              "Dropout of the feed-forward network's hidden values.")),
        initialisation(config),
        depth(layer) {}
};

FeedForward::FeedForward(const Scope& scope, const Config& config, std::int64_t d_model, int depth)
    : FeedForward(scope, Options(config, depth), d_model) {}

FeedForward::FeedForward(const Scope& scope, const Options& o, std::int64_t d_model)
    : activation_(o.activation),
      gated_(o.gated),
      dropout_(o.dropout),
      hidden_(hidden_projection(scope, d_model, o.d_ff, o.gated,
                                o.initialisation.matrix(d_model, o.d_ff, o.depth))),
      output_(scope / "output", o.d_ff, d_model,
              o.initialisation.matrix(o.d_ff, d_model, o.depth)) {}

Tensor FeedForward::operator()(Context& context, const Tensor& x) const {
  if (!gated_) return output_(context, hidden_(context, x, activation_, dropout_));
  const Tensor hidden = gated(context, hidden_(context, x), activation_);
  return output_(context, dropout(context, hidden, dropout_));
}

}  // namespace heddle
