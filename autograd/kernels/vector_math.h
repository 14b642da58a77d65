// exp, tanh, erf, log and sigmoid of all elements of a vector: no branch, no table, no -ffast-math.
//
//   exp(x)     = 2^n (1 + f + f^2 q(f)),  n = round(x / ln 2),  f = x - n ln 2
//   tanh(|x|)  = |x| + |x|^3 t(x^2) below kTanhSplit,  1 - 2 / (exp(2 |x|) + 1) from there on
//   erf(|x|)   = |x| + |x| p(x^2) below kErfSplit,  1 - exp(-g(|x|)) from there on
//   Phi(-z)    = exp(-h(z)) for 0 <= z <= kNormalFar
//   log(x)     = n ln 2 + log(1 + f),     x = 2^n (1 + f),  log(1 + f) = 2 atanh(f / (2 + f))
//
// q, t, p, g, h and the series of atanh are minimax polynomials (Remez exchange in quadruple
// precision, then rounded). Bounds in units in the last place, measured, not proved: float on every
// third bit pattern, double on 7 million numbers; vector_math_test.cpp repeats it more coarsely:
//             exp    tanh   erf    log    sigmoid
//   float     0.9    1.5    1.1    0.9    2.5
//   double    1.0    1.5    2.0    1.0    2.6
// Phi, the normal distribution function: 2^-23 (float) and 2^-52 (double), absolute.
// NaN gives NaN, infinities their limits, denormal arguments and results are exact to the same
// bounds (exp: rounded once more when the result is denormal).
#pragma once

#include <array>
#include <bit>
#include <limits>

#include "autograd/kernels/simd.h"

namespace heddle::kernels {

namespace detail {

/// What the formulas need to know about a floating-point type.
template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr float kRounder = 0x1.8p23f;     // x + kRounder - kRounder rounds to an integer
  static constexpr float kLn2High = 0x1.62e4p-1f;  // few bits: n * kLn2High is exact
  static constexpr float kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kExpLowest = -104.0f;  // exp is 0 from here, infinite from kExpHighest
  static constexpr float kExpHighest = 89.0f;
  static constexpr float kErfOne = 4.0f;  // erf rounds to 1
  static constexpr float kErfSplit = 1.0f;
  // (exp(f) - 1 - f) / f^2, |f| <= ln 2 / 2
  static constexpr std::array kExp{0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.555858p-5f, 0x1.123dep-7f,
                                   0x1.6ac74ep-10f};
  // (tanh(x) / x - 1) / x^2 in x^2, x <= 0.6
  static constexpr std::array kTanh{-0x1.55553ep-2f, 0x1.1109bep-3f, -0x1.b89aecp-5f,
                                    0x1.54c7f8p-6f, -0x1.82aae6p-8f};
  // erf(x) / x - 1 in x^2, x <= 1
  static constexpr std::array kErfSmall{0x1.06eba8p-3f,  -0x1.81273ep-2f, 0x1.ce2ce6p-4f,
                                        -0x1.b7f71ap-6f, 0x1.53f224p-8f,  -0x1.a3515ep-11f,
                                        0x1.4771fep-14f};
  // -log(1 - erf(x)), 1 <= x <= 4
  static constexpr std::array kErfLarge{0x1.661d2ep-12f, 0x1.2088eap+0f,  0x1.46bafp-1f,
                                        0x1.a6531cp-4f,  -0x1.65cb26p-6f, 0x1.825a5ap-9f,
                                        -0x1.86dc9ep-13f};
  // -log Phi(-z), z <= kNormalFar
  static constexpr std::array kNormalTail{0x1.62e43p-1f,   0x1.98846cp-1f,   0x1.45f026p-2f,
                                          0x1.2a16fcp-5f,  -0x1.40efd4p-8f,  0x1.93d648p-14f,
                                          0x1.0cf934p-13f, -0x1.c63cc8p-16f, 0x1.049f24p-19f};
  // (2 atanh(s) - 2 s) / s^3 in s^2, |s| <= 0.1716
  static constexpr std::array kLog{0x1.555554p-1f, 0x1.999c26p-2f, 0x1.23d3ep-2f, 0x1.f13b22p-3f};
};

template <>
struct MathConstants<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kLn2High = 0x1.62e42fee00000p-1;
  static constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kExpLowest = -746.0;
  static constexpr double kExpHighest = 710.0;
  static constexpr double kErfOne = 6.0;
  static constexpr double kErfSplit = 0.9;
  static constexpr std::array kExp{
      0x1.000000000000ap-1,  0x1.55555555554fap-3,  0x1.555555555087cp-5,  0x1.1111111127be8p-7,
      0x1.6c16c1842a132p-10, 0x1.a01a012a56c0bp-13, 0x1.a0199a0c63f56p-16, 0x1.71df25548042ep-19,
      0x1.28ad72cf21393p-22, 0x1.ad7f6b3ee7d7p-26};
  static constexpr std::array kTanh{
      -0x1.5555555555554p-2,  0x1.1111111110efp-3,   -0x1.ba1ba1b9f81cdp-5,  0x1.664f4879757c8p-6,
      -0x1.226e33f0e1885p-7,  0x1.d6d38932b7f92p-9,  -0x1.7d9eafe4c772fp-10, 0x1.3521e0810ff98p-11,
      -0x1.f21b35358493bp-13, 0x1.83f3f7ee0839cp-14, -0x1.0599ef165577dp-15, 0x1.b4a92e6e9fa78p-18};
  static constexpr std::array kErfSmall{
      0x1.06eba8214db69p-3,  -0x1.812746b037a27p-2,  0x1.ce2f21a045b7dp-4,  -0x1.b82ce31364e95p-6,
      0x1.565bcd2effd25p-8,  -0x1.c02db998f9924p-11, 0x1.f9a3bed2f8131p-14, -0x1.f4dc7e38ef997p-17,
      0x1.ba5171b54bbcdp-20, -0x1.61e618913cd95p-23, 0x1.0362f2d419d2bp-26, -0x1.298e27d084891p-30};
  static constexpr std::array kErfLarge{
      0x1.23a7924b8bfbep-24,  0x1.20dd68e91eb4ap+0,   0x1.45f37cf2ec28bp-1,
      0x1.a4ea020f1b21bp-4,   -0x1.39112143a072ap-6,  -0x1.efdcb06759afap-13,
      0x1.c2c5b2789667dp-10,  -0x1.3976e1cec3a8ep-11, 0x1.f2ab180d26d9dp-17,
      0x1.6c6853a8f0259p-14,  -0x1.b6c1174c98a94p-15, 0x1.3fc4404c980bap-16,
      -0x1.51af0e2f97a5dp-18, 0x1.0d2a38b3904d5p-20,  -0x1.43b8bcea94a2cp-23,
      0x1.1e3175cbcb6p-26,    -0x1.5fdc3db20566bp-30, 0x1.0cf60681ab646p-34,
      -0x1.8118b1db562ep-40};
  static constexpr std::array kNormalTail{
      0x1.62e42fefa39fp-1,   0x1.9884533d435bfp-1,   0x1.45f306dc9fed9p-2,   0x1.29a947f7ca6c2p-5,
      -0x1.396684f6bdd85p-8, -0x1.36396331dcca5p-15, 0x1.bca84f7593193p-13,  -0x1.b5a1a57e8f68bp-15,
      0x1.b765807b22e38p-20, 0x1.7a81c30f06f65p-19,  -0x1.df73cf8416676p-21, 0x1.6729173db45a4p-25,
      0x1.28f29dfbc0ddep-24, -0x1.24187470ecf18p-25, 0x1.4d36c583c4247p-27,  -0x1.1003403e0fd5ap-29,
      0x1.4d66f1d933c8bp-32, -0x1.33a020e06e97dp-35, 0x1.a1a08d03d477p-39,   -0x1.8c99221d2c769p-43,
      0x1.ddd5475459f82p-48, -0x1.24e0863e20e13p-53, 0x1.2c45e505aeb48p-61};
  static constexpr std::array kLog{0x1.5555555555593p-1, 0x1.999999997f8a7p-2, 0x1.249249423e549p-2,
                                   0x1.c71c51c66bccdp-3, 0x1.74664d76e8723p-3, 0x1.39a02ed8a68c4p-3,
                                   0x1.2f15bc54560f3p-3};
};

template <class T>
inline constexpr T kTanhSplit = static_cast<T>(0.6);

/// Coefficients kFirst to kFirst + kCount - 1 times 1, x, x^2, ...; powers[i] is x^(2^i).
template <std::size_t kFirst, std::size_t kCount, class T, std::size_t kAll>
[[gnu::always_inline]] inline Vector<T> polynomial_part(const Vector<T>* powers,
                                                        const std::array<T, kAll>& coefficients) {
  if constexpr (kCount == 1) {
    return broadcast(coefficients[kFirst]);
  } else {
    // Short ones by Horner's rule, which has the fewest operations; long ones by halves (Estrin's
    // scheme), as a loop cannot hide the wait for more than some ten operations in a row.
    constexpr std::size_t kLow = kAll <= 7 ? 1 : std::bit_floor(kCount - 1);
    return multiply_add<T>(polynomial_part<kFirst + kLow, kCount - kLow, T>(powers, coefficients),
                           powers[std::countr_zero(kLow)],
                           polynomial_part<kFirst, kLow, T>(powers, coefficients));
  }
}

/// The polynomial with these coefficients, lowest first.
template <class T, std::size_t kCount>
[[gnu::always_inline]] inline Vector<T> polynomial(Vector<T> x,
                                                   const std::array<T, kCount>& coefficients) {
  Vector<T> powers[std::bit_width(kCount)];
  powers[0] = x;
  for (std::size_t i = 1; i < std::bit_width(kCount); ++i)
    powers[i] = powers[i - 1] * powers[i - 1];
  return polynomial_part<0, kCount, T>(powers, coefficients);
}

template <class T>
inline constexpr IntegerOf<T> kSignBit = std::numeric_limits<IntegerOf<T>>::min();

template <class T>
[[gnu::always_inline]] inline Vector<T> absolute(Vector<T> x) {
  return reinterpret<T, IntegerOf<T>>(reinterpret<IntegerOf<T>, T>(x) & ~kSignBit<T>);
}

/// |magnitude| with the sign of `sign`, for magnitudes without one.
template <class T>
[[gnu::always_inline]] inline Vector<T> with_sign(Vector<T> magnitude, Vector<T> sign) {
  using Int = IntegerOf<T>;
  return reinterpret<T, Int>(reinterpret<Int, T>(magnitude) |
                             (reinterpret<Int, T>(sign) & kSignBit<T>));
}

/// 2^n for integers n that make a normal number.
template <class T>
[[gnu::always_inline]] inline Vector<T> power_of_two(Vector<T> n) {
  using C = MathConstants<T>;
  constexpr T kBias = std::numeric_limits<T>::max_exponent - 1;
  return reinterpret<T, IntegerOf<T>>(reinterpret<IntegerOf<T>, T>(n + (C::kRounder + kBias))
                                      << C::kMantissaBits);
}

/// x * 2^n with one rounding, for x near 1 and integers n.
template <class T>
[[gnu::always_inline]] inline Vector<T> scale(Vector<T> x, Vector<T> n) {
#ifdef __AVX512F__
  // The forms with a mask, as g++ 12 warns about the others.
  if constexpr (sizeof(T) == 4) return _mm512_maskz_scalef_ps(0xFFFF, x, n);
  if constexpr (sizeof(T) == 8) return _mm512_maskz_scalef_pd(0xFF, x, n);
#else
  // Two factors, as 2^n itself may be out of range; the first product is exact.
  const Vector<T> half =
      multiply_add<T>(n, broadcast(T{0.5}), broadcast(MathConstants<T>::kRounder)) -
      MathConstants<T>::kRounder;
  return x * power_of_two<T>(half) * power_of_two<T>(n - half);
#endif
}

/// x = n ln 2 + f with |f| <= ln 2 / 2.
template <class T>
struct Reduced {
  Vector<T> n, f;
};

template <class T>
[[gnu::always_inline]] inline Reduced<T> reduced(Vector<T> x) {
  using C = MathConstants<T>;
  constexpr T kLog2E = static_cast<T>(1.4426950408889634074);
  const Vector<T> n = multiply_add<T>(x, broadcast(kLog2E), broadcast(C::kRounder)) - C::kRounder;
  const Vector<T> f = multiply_add<T>(n, broadcast(-C::kLn2High), x);
  return {n, multiply_add<T>(n, broadcast(-C::kLn2Low), f)};
}

}  // namespace detail

/// exp(x) for kExpLowest <= x <= kExpHighest or NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> exp_in_range(Vector<T> x) {
  const auto [n, f] = detail::reduced<T>(x);
  const Vector<T> one = broadcast(T{1});
  const Vector<T> slope =
      multiply_add<T>(detail::polynomial<T>(f, detail::MathConstants<T>::kExp), f, one);
  return detail::scale<T>(multiply_add<T>(slope, f, one), n);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> exp(Vector<T> x) {
  using C = detail::MathConstants<T>;
  // In this order of arguments NaN stays.
  return exp_in_range<T>(
      smaller_of<T>(broadcast(C::kExpHighest), larger_of<T>(broadcast(C::kExpLowest), x)));
}

template <class T>
[[gnu::always_inline]] inline Vector<T> tanh(Vector<T> x) {
  using C = detail::MathConstants<T>;
  const Vector<T> magnitude = detail::absolute<T>(x);
  const Vector<T> square = magnitude * magnitude;
  const Vector<T> doubled = smaller_of<T>(broadcast(C::kExpHighest), magnitude + magnitude);
  const Vector<T> small =
      multiply_add<T>(detail::polynomial<T>(square, C::kTanh) * square, magnitude, magnitude);
  const Vector<T> large = 1 - 2 / (exp_in_range<T>(doubled) + 1);
  return detail::with_sign<T>(magnitude < detail::kTanhSplit<T> ? small : large, x);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> erf(Vector<T> x) {
  using C = detail::MathConstants<T>;
  const Vector<T> magnitude = smaller_of<T>(broadcast(C::kErfOne), detail::absolute<T>(x));
  const Vector<T> small = multiply_add<T>(
      detail::polynomial<T>(magnitude * magnitude, C::kErfSmall), magnitude, magnitude);
  const Vector<T> large = 1 - exp_in_range<T>(-detail::polynomial<T>(magnitude, C::kErfLarge));
  return detail::with_sign<T>(magnitude < C::kErfSplit ? small : large, x);
}

/// Where normal_tail is as good as 0: 4e-11 and 2e-17.
template <class T>
inline constexpr T kNormalFar = sizeof(T) == 4 ? T{6.5} : static_cast<T>(8.4);

/// Phi(-z), the normal distribution function, for 0 <= z <= kNormalFar.
template <class T>
[[gnu::always_inline]] inline Vector<T> normal_tail(Vector<T> z) {
  return exp_in_range<T>(-detail::polynomial<T>(z, detail::MathConstants<T>::kNormalTail));
}

/// 1 / (1 + exp(-x)), accurate down to denormal results.
template <class T>
[[gnu::always_inline]] inline Vector<T> sigmoid(Vector<T> x) {
  using C = detail::MathConstants<T>;
  const Vector<T> e =
      exp_in_range<T>(larger_of<T>(broadcast(C::kExpLowest), -detail::absolute<T>(x)));
  const Vector<T> one = broadcast(T{1});
  return (x < 0 ? e : one) / (one + e);
}

/// NaN below 0, -infinity at +-0.
template <class T>
inline Vector<T> log(Vector<T> x) {
  using C = detail::MathConstants<T>;
  using Int = IntegerOf<T>;
  using Limits = std::numeric_limits<T>;
  constexpr T kSqrtHalf = static_cast<T>(0.70710678118654752440);
  // Denormal numbers have no exponent to read: they are made normal first.
  constexpr T kLift = static_cast<T>(std::int64_t{1} << (C::kMantissaBits + 1));
  const Vector<T> lifted = x < Limits::min() ? x * kLift : x;
  const Vector<T> lift = x < Limits::min() ? broadcast(T{C::kMantissaBits + 1}) : Vector<T>{};

  const Vector<Int> bits = reinterpret<Int, T>(detail::absolute<T>(lifted));
  const Vector<Int> exponent = (bits - __builtin_bit_cast(Int, kSqrtHalf)) >> C::kMantissaBits;
  const Vector<T> f = reinterpret<T, Int>(bits - (exponent << C::kMantissaBits)) - 1;
  const Vector<T> n = __builtin_convertvector(exponent, Vector<T>) - lift;

  const Vector<T> s = f / (f + 2);
  const Vector<T> z = s * s;
  const Vector<T> rest = z * detail::polynomial<T>(z, C::kLog);
  // 2 s = f - f^2/2 + s f^2/2: the largest term is then exact.
  const Vector<T> half_square = f * f * T{0.5};
  const Vector<T> low = multiply_add<T>(n, broadcast(C::kLn2Low), s * (half_square + rest));
  const Vector<T> result = multiply_add<T>(n, broadcast(C::kLn2High), f - (half_square - low));
  const Vector<T> special =
      x == 0 ? broadcast(-Limits::infinity()) : broadcast(Limits::quiet_NaN());
  return x > 0 ? (x < Limits::infinity() ? result : x) : special;
}

// One number: the same formula, so that the rest of a row has the bits of a full vector.
template <class T>
requires std::is_floating_point_v<T>
inline T exp(T x) {
  return exp<T>(broadcast(x))[0];
}
template <class T>
requires std::is_floating_point_v<T>
inline T tanh(T x) {
  return tanh<T>(broadcast(x))[0];
}
template <class T>
requires std::is_floating_point_v<T>
inline T erf(T x) {
  return erf<T>(broadcast(x))[0];
}
template <class T>
requires std::is_floating_point_v<T>
inline T sigmoid(T x) {
  return sigmoid<T>(broadcast(x))[0];
}
template <class T>
requires std::is_floating_point_v<T>
inline T log(T x) {
  return log<T>(broadcast(x))[0];
}

}  // namespace heddle::kernels
