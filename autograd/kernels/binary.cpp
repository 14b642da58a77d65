#include "autograd/kernels/binary.h"

#include "autograd/kernels/broadcast.h"

namespace heddle::kernels {

namespace {

template <class T>
struct Add {
  static constexpr bool kReadsOperands = false;
  static Vector<T> value(Vector<T> a, Vector<T> b) { return a + b; }
  static Vector<T> gradient_a(Vector<T>, Vector<T>, Vector<T> dy) { return dy; }
  static Vector<T> gradient_b(Vector<T>, Vector<T>, Vector<T> dy) { return dy; }
};

template <class T>
struct Sub {
  static constexpr bool kReadsOperands = false;
  static Vector<T> value(Vector<T> a, Vector<T> b) { return a - b; }
  static Vector<T> gradient_a(Vector<T>, Vector<T>, Vector<T> dy) { return dy; }
  static Vector<T> gradient_b(Vector<T>, Vector<T>, Vector<T> dy) { return -dy; }
};

template <class T>
struct Mul {
  static constexpr bool kReadsOperands = true;
  static Vector<T> value(Vector<T> a, Vector<T> b) { return a * b; }
  static Vector<T> gradient_a(Vector<T>, Vector<T> b, Vector<T> dy) { return dy * b; }
  static Vector<T> gradient_b(Vector<T> a, Vector<T>, Vector<T> dy) { return dy * a; }
};

template <class T>
struct Div {
  static constexpr bool kReadsOperands = true;
  static Vector<T> value(Vector<T> a, Vector<T> b) { return a / b; }
  static Vector<T> gradient_a(Vector<T>, Vector<T> b, Vector<T> dy) { return dy / b; }
  static Vector<T> gradient_b(Vector<T> a, Vector<T> b, Vector<T> dy) { return -dy * (a / b) / b; }
};

template <class T>
struct Maximum {
  static constexpr bool kReadsOperands = true;
  static Vector<T> value(Vector<T> a, Vector<T> b) { return larger_or_nan<T>(a, b); }
  static Vector<T> gradient_a(Vector<T> a, Vector<T> b, Vector<T> dy) {
    return a == b ? dy * T{0.5} : (a > b ? dy : Vector<T>{});
  }
  static Vector<T> gradient_b(Vector<T> a, Vector<T> b, Vector<T> dy) {
    return gradient_a(b, a, dy);
  }
};

template <class T, class Body>
void with_formula(Binary function, const Body& body) {
  switch (function) {
    case Binary::kAdd:
      return body(Add<T>{});
    case Binary::kSub:
      return body(Sub<T>{});
    case Binary::kMul:
      return body(Mul<T>{});
    case Binary::kDiv:
      return body(Div<T>{});
    case Binary::kMaximum:
      return body(Maximum<T>{});
  }
}

// All bits of a lane where its byte is not 0.
template <class T, class Lanes>
[[gnu::always_inline]] inline Vector<LaneInteger<T>> load_mask(const std::uint8_t* row,
                                                               std::int64_t step, std::int64_t i,
                                                               const Lanes& lanes) {
  using Int = LaneInteger<T>;
  if (step == 0) return broadcast(static_cast<Int>(*row)) != 0;
  using Bytes [[gnu::vector_size(kLanes<T>)]] = std::uint8_t;
  Bytes bytes = {};
  std::memcpy(&bytes, row + i, static_cast<std::size_t>(lanes.size()));
  return __builtin_convertvector(bytes, Vector<Int>) != 0;
}

}  // namespace

template <class T>
void binary(Binary function, const Stretched<T>& a, const Stretched<T>& b, T* y, int threads) {
  const BroadcastLoop<3> loop({heddle::broadcast("binary", a.shape, b.shape), a.shape, b.shape});
  with_formula<T>(function, [&](auto f) {
    for_each_piece(loop, threads, [&](const Offsets<3>& at, std::int64_t n) {
      for_each_vector<T>(n, [&](std::int64_t i, const auto& lanes) {
        const Vector<T> left = load_stretched(a.data + at[1], loop.step[1], i, lanes);
        const Vector<T> right = load_stretched(b.data + at[2], loop.step[2], i, lanes);
        lanes.store(y + at[0] + i, f.value(left, right));
      });
    });
  });
}

template <class T>
void binary_backward(Binary function, const Stretched<T>& a, const Stretched<T>& b, const T* dy,
                     GradientTarget<T> da, GradientTarget<T> db, int threads) {
  const BroadcastLoop<3> loop({heddle::broadcast("binary", a.shape, b.shape), a.shape, b.shape});
  with_formula<T>(function, [&](auto f) {
    // gradient(a, b, dy) at one vector of a row.
    const auto term = [&](const auto& gradient) {
      return [&, gradient](const Offsets<3>& at, std::int64_t i, const auto& lanes) {
        Vector<T> left = {};
        Vector<T> right = {};
        if constexpr (f.kReadsOperands) {
          left = load_stretched(a.data + at[1], loop.step[1], i, lanes);
          right = load_stretched(b.data + at[2], loop.step[2], i, lanes);
        }
        return gradient(left, right, lanes.load(dy + at[0] + i));
      };
    };
    reduce_to(loop, 1, da, threads, term(f.gradient_a));
    reduce_to(loop, 2, db, threads, term(f.gradient_b));
  });
}

template <class T>
void where(const Stretched<std::uint8_t>& mask, const Stretched<T>& a, const Stretched<T>& b, T* y,
           int threads) {
  const Shape operands = heddle::broadcast("where", a.shape, b.shape);
  const BroadcastLoop<4> loop(
      {heddle::broadcast("where", mask.shape, operands), mask.shape, a.shape, b.shape});
  for_each_piece(loop, threads, [&](const Offsets<4>& at, std::int64_t n) {
    for_each_vector<T>(n, [&](std::int64_t i, const auto& lanes) {
      const auto chosen = load_mask<T>(mask.data + at[1], loop.step[1], i, lanes);
      const Vector<T> left = load_stretched(a.data + at[2], loop.step[2], i, lanes);
      const Vector<T> right = load_stretched(b.data + at[3], loop.step[3], i, lanes);
      lanes.store(y + at[0] + i, chosen ? left : right);
    });
  });
}

template <class T>
void where_backward(const Stretched<std::uint8_t>& mask, const Shape& a, const Shape& b,
                    const T* dy, GradientTarget<T> da, GradientTarget<T> db, int threads) {
  const Shape operands = heddle::broadcast("where", a, b);
  const BroadcastLoop<4> loop({heddle::broadcast("where", mask.shape, operands), mask.shape, a, b});
  const auto chosen = [&](const Offsets<4>& at, std::int64_t i, const auto& lanes) {
    return load_mask<T>(mask.data + at[1], loop.step[1], i, lanes);
  };
  reduce_to(loop, 2, da, threads, [&](const Offsets<4>& at, std::int64_t i, const auto& lanes) {
    return chosen(at, i, lanes) ? lanes.load(dy + at[0] + i) : Vector<T>{};
  });
  reduce_to(loop, 3, db, threads, [&](const Offsets<4>& at, std::int64_t i, const auto& lanes) {
    return chosen(at, i, lanes) ? Vector<T>{} : lanes.load(dy + at[0] + i);
  });
}

template <class T>
void masked_fill(const Stretched<T>& x, const Stretched<std::uint8_t>& mask, double value, T* y,
                 int threads) {
  const T filler = static_cast<T>(value);
  where(mask, {&filler, Shape{}}, x, y, threads);
}

template <class T>
void masked_fill_backward(const Shape& x, const Stretched<std::uint8_t>& mask, const T* dy,
                          GradientTarget<T> dx, int threads) {
  where_backward(mask, Shape{}, x, dy, {}, dx, threads);
}

using Mask = Stretched<std::uint8_t>;
template void binary(Binary, const Stretched<float>&, const Stretched<float>&, float*, int);
template void binary(Binary, const Stretched<double>&, const Stretched<double>&, double*, int);
template void binary_backward(Binary, const Stretched<float>&, const Stretched<float>&,
                              const float*, GradientTarget<float>, GradientTarget<float>, int);
template void binary_backward(Binary, const Stretched<double>&, const Stretched<double>&,
                              const double*, GradientTarget<double>, GradientTarget<double>, int);
template void where(const Mask&, const Stretched<float>&, const Stretched<float>&, float*, int);
template void where(const Mask&, const Stretched<double>&, const Stretched<double>&, double*, int);
template void where_backward(const Mask&, const Shape&, const Shape&, const float*,
                             GradientTarget<float>, GradientTarget<float>, int);
template void where_backward(const Mask&, const Shape&, const Shape&, const double*,
                             GradientTarget<double>, GradientTarget<double>, int);
template void masked_fill(const Stretched<float>&, const Mask&, double, float*, int);
template void masked_fill(const Stretched<double>&, const Mask&, double, double*, int);
template void masked_fill_backward(const Shape&, const Mask&, const float*, GradientTarget<float>,
                                   int);
template void masked_fill_backward(const Shape&, const Mask&, const double*, GradientTarget<double>,
                                   int);

}  // namespace heddle::kernels
