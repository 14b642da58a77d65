// The errors that vector_math.h states, measured against the C library in the next precision: float
// over a stride through all bit patterns, double over a sample that is dense in every binade.
#include "autograd/kernels/vector_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/thorough.h"

namespace heddle::kernels {
namespace {

// What the C library computes in: double for float, long double for double.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
template <class T>
using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;
template <class T>
using Limits = std::numeric_limits<T>;

struct Exp {
  static constexpr const char* kName = "exp";
  template <class T>
  static Vector<T> ours(Vector<T> x) {
    return exp<T>(x);
  }
  template <class T>
  static T theirs(T x) {
    return std::exp(x);
  }
};
struct Tanh {
  static constexpr const char* kName = "tanh";
  template <class T>
  static Vector<T> ours(Vector<T> x) {
    return tanh<T>(x);
  }
  template <class T>
  static T theirs(T x) {
    return std::tanh(x);
  }
};
struct Erf {
  static constexpr const char* kName = "erf";
  template <class T>
  static Vector<T> ours(Vector<T> x) {
    return erf<T>(x);
  }
  template <class T>
  static T theirs(T x) {
    return std::erf(x);
  }
};
struct Log {
  static constexpr const char* kName = "log";
  template <class T>
  static Vector<T> ours(Vector<T> x) {
    return log<T>(x);
  }
  template <class T>
  static T theirs(T x) {
    return std::log(x);
  }
};
struct Sigmoid {
  static constexpr const char* kName = "sigmoid";
  template <class T>
  static Vector<T> ours(Vector<T> x) {
    return sigmoid<T>(x);
  }
  template <class T>
  static T theirs(T x) {
    return T{1} / (T{1} + std::exp(-x));
  }
};

// The distance in units in the last place of the wanted result rounded to T; infinite where one is
// NaN, infinite or of the other sign and the other is not.
template <class T>
double error_in_ulp(T got, Wide<T> wanted) {
  const T rounded = static_cast<T>(wanted);
  if (std::isnan(rounded)) return std::isnan(got) ? 0.0 : Limits<double>::infinity();
  if (std::isinf(rounded) || rounded == 0) {
    const bool next = std::isinf(rounded) ? std::abs(got) == Limits<T>::max()
                                          : std::abs(got) == Limits<T>::denorm_min();
    if (next) return 1.0;
    return got == rounded && std::signbit(got) == std::signbit(rounded)
               ? 0.0
               : Limits<double>::infinity();
  }
  if (std::isnan(got) || std::isinf(got) || std::signbit(got) != std::signbit(rounded)) {
    return Limits<double>::infinity();
  }
  const int exponent = std::max(std::ilogb(rounded), Limits<T>::min_exponent - 1);
  const Wide<T> ulp = std::ldexp(Wide<T>{1}, exponent + 1 - Limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<Wide<T>>(got) - wanted) / ulp);
}

template <class T>
struct Worst {
  double error = 0.0;
  T at = 0;
};

template <class T, class F>
void look(Worst<T>& worst, const T (&x)[kElements<T>]) {
  T y[kElements<T>];
  store(y, F::template ours<T>(load(x)));
  for (int i = 0; i < kElements<T>; ++i) {
    const double error = error_in_ulp<T>(y[i], F::template theirs<Wide<T>>(x[i]));
    if (!(error <= worst.error)) worst = {error, x[i]};
  }
}

// All bit patterns first, first + stride, ... below last.
template <class T, class F>
void look_at_patterns(Worst<T>& worst, Bits<T> first, Bits<T> last, Bits<T> stride) {
  T x[kElements<T>];
  Bits<T> bits = first;
  while (bits < last) {
    for (T& element : x) {
      element = std::bit_cast<T>(bits < last ? bits : first);
      bits = bits < last && last - bits > stride ? bits + stride : last;
    }
    look<T, F>(worst, x);
  }
}

template <class T, class F>
void look_around(Worst<T>& worst, T centre) {
  const Bits<T> bits = std::bit_cast<Bits<T>>(centre);
  const Bits<T> magnitude = bits & (~Bits<T>{0} >> 1);
  const Bits<T> below = std::min<Bits<T>>(magnitude, 200);
  look_at_patterns<T, F>(worst, bits - below, bits + 200, 1);
}

// Where a formula changes over: zero, the smallest normal and denormal numbers, infinity, the ends
// of the range of exp, tanh and erf, the pieces of erf, and odd multiples of ln 2 / 2.
template <class T, class F>
void look_at_special_values(Worst<T>& worst) {
  std::vector<T> centres{
      0,  Limits<T>::min(),      Limits<T>::max(),     T{0.9f}, static_cast<T>(0.9), 1, 4, 6, 10,
      20, static_cast<T>(0.707), Limits<T>::infinity()};
  for (const double x : {88.72284, 103.97, 87.3365, 709.782712893384, 745.13321910194, 708.3964}) {
    centres.push_back(static_cast<T>(x));
  }
  for (int n = 1; n < 64; n += 2) centres.push_back(static_cast<T>(n * 0.34657359027997264));
  for (const T centre : centres) {
    look_around<T, F>(worst, centre);
    look_around<T, F>(worst, -centre);
  }
  look_around<T, F>(worst, Limits<T>::quiet_NaN());
}

template <class F>
void check_float(double bound, std::uint32_t stride) {
  Worst<float> worst;
  look_at_patterns<float, F>(worst, 0, 0xFFFFFFFF, stride);
  look_at_special_values<float, F>(worst);
  CAPTURE(std::string(F::kName));
  CAPTURE(worst.at);
  CHECK(worst.error <= bound);
}

// Every binade from 2^-60 to 2^11, both signs, and coarsely the rest.
template <class F>
void check_double(double bound) {
  Worst<double> worst;
  const auto pattern = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  for (const std::uint64_t sign : {std::uint64_t{0}, std::uint64_t{1} << 63}) {
    look_at_patterns<double, F>(worst, sign, sign | pattern(0x1p-60), 0x001234567891ABCD);
    look_at_patterns<double, F>(worst, sign | pattern(0x1p-60), sign | pattern(0x1p-8),
                                0x0000234567891ABC);
    look_at_patterns<double, F>(worst, sign | pattern(0x1p-8), sign | pattern(0x1p11),
                                0x0000003345678912);
    look_at_patterns<double, F>(worst, sign | pattern(0x1p11), sign | pattern(INFINITY),
                                0x001234567891ABCD);
  }
  look_at_special_values<double, F>(worst);
  CAPTURE(std::string(F::kName));
  CAPTURE(worst.at);
  CHECK(worst.error <= bound);
}

TEST_CASE("float: the stated errors hold over bit patterns of all kinds") {
  const std::uint32_t stride = testing::thorough() ? 331 : 4729;
  check_float<Exp>(0.9, stride);
  check_float<Tanh>(1.5, stride);
  check_float<Erf>(1.1, stride);
  check_float<Log>(0.9, stride);
  check_float<Sigmoid>(2.5, stride);
}

TEST_CASE_TEMPLATE("the tail of the normal distribution is that of erfc", T, float, double) {
  const double bound = sizeof(T) == 4 ? 0x1p-23 : 0x1p-52;
  double worst = 0.0;
  for (int i = 0; i <= 100000; ++i) {
    const T z = static_cast<T>(i * 1e-5) * kNormalFar<T>;
    const long double wanted = 0.5L * std::erfc(static_cast<long double>(z) / std::sqrt(2.0L));
    const T got = normal_tail<T>(broadcast(z))[0];
    worst = std::max(worst, static_cast<double>(std::abs(got - wanted)));
  }
  CHECK(worst <= bound);
  CHECK(std::isnan(normal_tail<T>(broadcast(Limits<T>::quiet_NaN()))[0]));
}

TEST_CASE_TEMPLATE("one number has the bits that it has in a vector", T, float, double) {
  for (int i = 1; i < 1000; ++i) {
    const T x = static_cast<T>(i) * T{0.01f};
    const Vector<T> v = broadcast(x);
    CHECK(exp(x) == exp<T>(v)[kElements<T> - 1]);
    CHECK(tanh(x) == tanh<T>(v)[kElements<T> - 1]);
    CHECK(erf(x) == erf<T>(v)[kElements<T> - 1]);
    CHECK(log(x) == log<T>(v)[kElements<T> - 1]);
    CHECK(sigmoid(x) == sigmoid<T>(v)[kElements<T> - 1]);
  }
}

TEST_CASE("double: the stated errors hold over every binade") {
  check_double<Exp>(1.0);
  check_double<Tanh>(1.5);
  check_double<Erf>(2.0);
  check_double<Log>(1.0);
  check_double<Sigmoid>(2.6);
}

}  // namespace
}  // namespace heddle::kernels
