// Functions of one number, each with its derivative on the same screen.
//
// value(x) is y = f(x). gradient(saved, dy) is dy f'(x), computed from what is cheapest to keep:
// from y where kFromOutput, else from x.
#pragma once

#include "autograd/kernels/vector_math.h"

namespace heddle::kernels {

template <class T>
struct Neg {
  static constexpr bool kFromOutput = false;
  static Vector<T> value(Vector<T> x) { return -x; }
  static Vector<T> gradient(Vector<T>, Vector<T> dy) { return -dy; }
};

template <class T>
struct Abs {
  static constexpr bool kFromOutput = false;
  static Vector<T> value(Vector<T> x) { return detail::absolute<T>(x); }
  static Vector<T> gradient(Vector<T> x, Vector<T> dy) {
    return x > 0 ? dy : (x < 0 ? -dy : dy * x);  // 0 at 0, NaN at NaN
  }
};

template <class T>
struct Exp {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return exp<T>(x); }
  static Vector<T> gradient(Vector<T> y, Vector<T> dy) { return dy * y; }
};

template <class T>
struct Log {
  static constexpr bool kFromOutput = false;
  static Vector<T> value(Vector<T> x) { return log<T>(x); }
  static Vector<T> gradient(Vector<T> x, Vector<T> dy) { return dy / x; }
};

template <class T>
struct Sqrt {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return square_root<T>(x); }
  static Vector<T> gradient(Vector<T> y, Vector<T> dy) { return dy * T{0.5} / y; }
};

template <class T>
struct Tanh {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return tanh<T>(x); }
  static Vector<T> gradient(Vector<T> y, Vector<T> dy) { return dy * (1 - y * y); }
};

template <class T>
struct Sigmoid {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return sigmoid<T>(x); }
  static Vector<T> gradient(Vector<T> y, Vector<T> dy) { return dy * (y * (1 - y)); }
};

/// max(x, 0); its derivative at 0 is 0.
template <class T>
struct Relu {
  static constexpr bool kFromOutput = true;
  static Vector<T> value(Vector<T> x) { return larger_of<T>(Vector<T>{}, x); }
  static Vector<T> gradient(Vector<T> y, Vector<T> dy) { return y > 0 ? dy : Vector<T>{}; }
};

/// x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016, section 2; not the
/// approximation by tanh). As max(x, 0) - |x| Phi(-|x|) nothing cancels for negative x.
template <class T>
struct Gelu {
  static constexpr bool kFromOutput = false;
  static Vector<T> value(Vector<T> x) {
    const Vector<T> z = magnitude(x);
    return multiply_add<T>(-z, normal_tail<T>(z), larger_of<T>(Vector<T>{}, x));
  }
  /// Phi(x) + x phi(x), with the density phi(x) = exp(-x^2/2) / sqrt(2 pi).
  static Vector<T> gradient(Vector<T> x, Vector<T> dy) {
    constexpr T kInverseSqrtTwoPi = static_cast<T>(0.39894228040143267794);
    const Vector<T> z = magnitude(x);
    const Vector<T> density = exp_in_range<T>(z * z * T{-0.5}) * kInverseSqrtTwoPi;
    const Vector<T> left = multiply_add<T>(-z, density, normal_tail<T>(z));  // the slope at -|x|
    return dy * (x > 0 ? 1 - left : left);
  }

 private:
  static Vector<T> magnitude(Vector<T> x) {
    return smaller_of<T>(broadcast(kNormalFar<T>), detail::absolute<T>(x));
  }
};

/// x sigmoid(x), also called swish (Ramachandran et al. 2017).
template <class T>
struct Silu {
  static constexpr bool kFromOutput = false;
  static Vector<T> value(Vector<T> x) { return x * sigmoid<T>(x); }
  static Vector<T> gradient(Vector<T> x, Vector<T> dy) {
    const Vector<T> s = sigmoid<T>(x);
    return dy * (s * (1 + x * (1 - s)));
  }
};

}  // namespace heddle::kernels
