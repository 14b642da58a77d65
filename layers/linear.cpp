#include "layers/linear.h"

#include <vector>

namespace heddle {

Linear::Linear(const Scope& scope, std::int64_t in, std::int64_t out,
               const Initialiser& initialiser)
    : weight(scope.declare("weight", {out, in}, initialiser)),
      bias(scope.declare("bias", {out}, Initialiser::constant(0.0))) {}

Tensor Linear::operator()(Context& context, const Tensor& x, Activation activation,
                          double dropout) const {
  // In this order with every compiler: messages name the first one that is wrong.
  const Tensor w = context.use(weight), b = context.use(bias);
  return linear(context, x, w, b, activation, dropout);
}

Linear side_by_side(const Scope& scope, std::int64_t in,
                    std::initializer_list<Projection> projections) {
  std::vector<Parameter> weights, biases;
  for (const Projection& p : projections) {
    weights.push_back((scope / p.name).declare("weight", {p.out, in}, p.initialiser));
  }
  for (const Projection& p : projections) {
    biases.push_back((scope / p.name).declare("bias", {p.out}, Initialiser::constant(0.0)));
  }
  return {joined(weights), joined(biases)};
}

}  // namespace heddle
