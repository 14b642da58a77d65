// Functions of one tensor, element by element, and their backward.
//
//   y[i] = f(x[i]),   dx[i] (+)= dy[i] f'(x[i])
//
// The formulas are in functions.h. Arrays are contiguous; y may be x.
#pragma once

#include <cstdint>

#include "autograd/kernels/gradient_sink.h"

namespace heddle::kernels {

enum class Unary { kNeg, kAbs, kExp, kLog, kSqrt, kTanh, kSigmoid, kRelu, kGelu, kSilu };

/// Which of x and y unary_backward wants.
bool backward_reads_output(Unary function);

/// y = f(x), x and y [n].
template <class T>
void unary(Unary function, std::int64_t n, const T* x, T* y, int threads);

/// dx (+)= dy f'(x). `saved` [n] is y where backward_reads_output, else x. At 0 the derivatives of
/// abs and relu are 0.
template <class T>
void unary_backward(Unary function, std::int64_t n, const T* saved, const T* dy, GradientSink<T> dx,
                    int threads);

/// y = x^exponent; exponents -2 to 3, 1/2 and -1/2 without a call of the C library.
template <class T>
void power(std::int64_t n, double exponent, const T* x, T* y, int threads);

/// dx (+)= dy exponent x^(exponent - 1); 0 where the exponent is 0.
template <class T>
void power_backward(std::int64_t n, double exponent, const T* x, const T* dy, GradientSink<T> dx,
                    int threads);

/// y (+)= factor x + amount. Backward is the same with dy, dx and amount 0.
template <class T>
void affine(std::int64_t n, double factor, double amount, const T* x, GradientSink<T> y,
            int threads);

}  // namespace heddle::kernels
