#include "autograd/kernels/unary.h"

#include <cmath>

#include "autograd/kernels/functions.h"
#include "autograd/kernels/pointwise.h"

namespace heddle::kernels {

namespace {

// Calls body(F{}) with the formulas of `function`.
template <class T, class Body>
auto with_formula(Unary function, const Body& body) {
  switch (function) {
    case Unary::kNeg:
      return body(Neg<T>{});
    case Unary::kAbs:
      return body(Abs<T>{});
    case Unary::kExp:
      return body(Exp<T>{});
    case Unary::kLog:
      return body(Log<T>{});
    case Unary::kSqrt:
      return body(Sqrt<T>{});
    case Unary::kTanh:
      return body(Tanh<T>{});
    case Unary::kSigmoid:
      return body(Sigmoid<T>{});
    case Unary::kRelu:
      return body(Relu<T>{});
    case Unary::kGelu:
      return body(Gelu<T>{});
    case Unary::kSilu:
      break;
  }
  return body(Silu<T>{});
}

// Calls body(f) with f(x) = x^exponent on vectors.
template <class T, class Body>
void with_power(double exponent, const Body& body) {
  using V = Vector<T>;
  if (exponent == 0.0) return body([](V) { return broadcast(T{1}); });
  if (exponent == 1.0) return body([](V x) { return x; });
  if (exponent == 2.0) return body([](V x) { return x * x; });
  if (exponent == 3.0) return body([](V x) { return x * x * x; });
  if (exponent == -1.0) return body([](V x) { return 1 / x; });
  if (exponent == -2.0) return body([](V x) { return 1 / (x * x); });
  if (exponent == 0.5) return body([](V x) { return square_root<T>(x); });
  if (exponent == -0.5) return body([](V x) { return 1 / square_root<T>(x); });
  body([exponent](V x) {
    T elements[kElements<T>];
    store(elements, x);
    for (T& element : elements) element = std::pow(element, static_cast<T>(exponent));
    return load(elements);
  });
}

}  // namespace

bool backward_reads_output(Unary function) {
  return with_formula<float>(function, [](auto f) { return decltype(f)::kFromOutput; });
}

template <class T>
void unary(Unary function, std::int64_t n, const T* x, T* y, int threads) {
  with_formula<T>(function, [&](auto f) {
    map<T>(
        n, {y, false}, threads, [f](Vector<T> v) { return f.value(v); }, x);
  });
}

template <class T>
void unary_backward(Unary function, std::int64_t n, const T* saved, const T* dy, GradientSink<T> dx,
                    int threads) {
  if (!dx) return;
  with_formula<T>(function, [&](auto f) {
    map<T>(
        n, dx, threads, [f](Vector<T> s, Vector<T> g) { return f.gradient(s, g); }, saved, dy);
  });
}

template <class T>
void power(std::int64_t n, double exponent, const T* x, T* y, int threads) {
  with_power<T>(exponent, [&](const auto& f) { map<T>(n, {y, false}, threads, f, x); });
}

template <class T>
void power_backward(std::int64_t n, double exponent, const T* x, const T* dy, GradientSink<T> dx,
                    int threads) {
  if (!dx) return;
  if (exponent == 0.0) {
    return map<T>(
        n, dx, threads, [](Vector<T>) { return Vector<T>{}; }, dy);
  }
  const T factor = static_cast<T>(exponent);
  with_power<T>(exponent - 1.0, [&](const auto& f) {
    map<T>(
        n, dx, threads, [&](Vector<T> v, Vector<T> g) { return g * factor * f(v); }, x, dy);
  });
}

template <class T>
void affine(std::int64_t n, double factor, double amount, const T* x, GradientSink<T> y,
            int threads) {
  if (!y) return;
  const T a = static_cast<T>(factor);
  const T b = static_cast<T>(amount);
  map<T>(
      n, y, threads, [a, b](Vector<T> v) { return v * a + b; }, x);
}

template void unary(Unary, std::int64_t, const float*, float*, int);
template void unary(Unary, std::int64_t, const double*, double*, int);
template void unary_backward(Unary, std::int64_t, const float*, const float*, GradientSink<float>,
                             int);
template void unary_backward(Unary, std::int64_t, const double*, const double*,
                             GradientSink<double>, int);
template void power(std::int64_t, double, const float*, float*, int);
template void power(std::int64_t, double, const double*, double*, int);
template void power_backward(std::int64_t, double, const float*, const float*, GradientSink<float>,
                             int);
template void power_backward(std::int64_t, double, const double*, const double*,
                             GradientSink<double>, int);
template void affine(std::int64_t, double, double, const float*, GradientSink<float>, int);
template void affine(std::int64_t, double, double, const double*, GradientSink<double>, int);

}  // namespace heddle::kernels
