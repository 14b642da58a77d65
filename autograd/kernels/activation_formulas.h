// The formulas of an activation that is known when the program runs, for kernels that fuse it.
#pragma once

#include "autograd/kernels/activation.h"
#include "autograd/kernels/functions.h"
#include "autograd/kernels/simd.h"

namespace heddle::kernels {

template <class T>
struct Identity {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return x; }
  static Vector<T> gradient(Vector<T>, Vector<T> dy) { return dy; }
};

/// body(Formula{}) with the formulas of `activation`; its result.
template <class T, class Body>
auto with_formula(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kRelu:
      return body(Relu<T>{});
    case Activation::kGelu:
      return body(Gelu<T>{});
    case Activation::kSilu:
      return body(Silu<T>{});
    case Activation::kTanh:
      return body(Tanh<T>{});
    case Activation::kSigmoid:
      return body(Sigmoid<T>{});
    case Activation::kNone:
      break;
  }
  return body(Identity<T>{});
}

}  // namespace heddle::kernels
