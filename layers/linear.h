// A linear layer, y = dropout(activation(x W^T + b)), and several of them that one product
// computes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "autograd/ops/linear.h"
#include "autograd/parameter.h"

namespace heddle {

struct Linear {
  Parameter weight;  // [out, in]
  Parameter bias;    // [out]

  /// Declares `scope`.weight and `scope`.bias.
  Linear(const Scope& scope, std::int64_t in, std::int64_t out, const Initialiser& initialiser);
  Linear(Parameter w, Parameter b) : weight(w), bias(b) {}

  /// x [rows, in] -> [rows, out].
  Tensor operator()(Context& context, const Tensor& x, Activation activation = Activation::kNone,
                    double dropout = 0.0) const;
};

/// One of several projections of the same input.
struct Projection {
  std::string_view name;
  std::int64_t out;
  Initialiser initialiser;
};

/// Projections side by side, [rows, sum of out]. Each has a weight and a bias of its own, which
/// initialisation and checkpoints know by name; they are neighbours in the slab, so that one
/// product sees one matrix. Declares `scope`.NAME.weight of all, then `scope`.NAME.bias of all.
Linear side_by_side(const Scope& scope, std::int64_t in,
                    std::initializer_list<Projection> projections);

}  // namespace heddle
