#include "autograd/kernels/binary.h"

#include <cstring>

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
  static Vector<T> gradient_b(Vector<T> a, Vector<T> b, Vector<T> dy) {
    const Vector<T> inverse = 1 / b;
    return -dy * (a * inverse) * inverse;
  }
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

// All bits of an element where its byte is not 0.
template <class T, class Part>
[[gnu::always_inline]] inline Vector<IntegerOf<T>> load_mask(const std::uint8_t* row,
                                                             std::int64_t step, std::int64_t i,
                                                             const Part& part) {
  if (step == 0) return broadcast(static_cast<IntegerOf<T>>(*row)) != 0;
  if constexpr (std::is_same_v<Part, WholeVector<T>>) return widen<T>(row + i) != 0;
  std::uint8_t bytes[kElements<T>] = {};
  std::memcpy(bytes, row + i, static_cast<std::size_t>(part.size()));
  return widen<T>(bytes) != 0;
}

}  // namespace

template <class T>
void binary(Binary function, const BinaryShape& shape, const T* a, const T* b, T* y, int threads) {
  const BroadcastLoop<3> loop({shape.result, shape.a, shape.b});
  with_formula<T>(function, [&](auto f) {
    for_each_piece(loop, threads, [&](const Offsets<3>& at, std::int64_t n) {
      for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
        const Vector<T> left = load_stretched(a + at[1], loop.step[1], i, part);
        const Vector<T> right = load_stretched(b + at[2], loop.step[2], i, part);
        part.store(y + at[0] + i, f.value(left, right));
      });
    });
  });
}

template <class T>
void binary_backward(Binary function, const BinaryShape& shape, const T* a, const T* b, const T* dy,
                     GradientSink<T> da, GradientSink<T> db, int threads) {
  const BroadcastLoop<3> loop({shape.result, shape.a, shape.b});
  with_formula<T>(function, [&](auto f) {
    // Operands that are not read may be null.
    const auto row = [](const T* operand, std::int64_t offset) {
      return decltype(f)::kReadsOperands ? operand + offset : operand;
    };
    // gradient(a, b, dy) along a row.
    const auto terms = [&](const auto& gradient) {
      return [&, gradient](const Offsets<3>& at) {
        return [gradient, left = row(a, at[1]), right = row(b, at[2]), upstream = dy + at[0],
                a_step = loop.step[1], b_step = loop.step[2]](std::int64_t i, const auto& part) {
          const Vector<T> g = part.load(upstream + i);
          if constexpr (!decltype(f)::kReadsOperands) return gradient(Vector<T>{}, Vector<T>{}, g);
          return gradient(load_stretched(left, a_step, i, part),
                          load_stretched(right, b_step, i, part), g);
        };
      };
    };
    reduce_to(loop, 1, da, threads, terms([f](auto... v) { return f.gradient_a(v...); }));
    reduce_to(loop, 2, db, threads, terms([f](auto... v) { return f.gradient_b(v...); }));
  });
}

template <class T>
void where(const BinaryShape& shape, const Shape& mask_shape, const std::uint8_t* mask, const T* a,
           const T* b, T* y, int threads) {
  const BroadcastLoop<4> loop({shape.result, mask_shape, shape.a, shape.b});
  for_each_piece(loop, threads, [&](const Offsets<4>& at, std::int64_t n) {
    for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
      const auto chosen = load_mask<T>(mask + at[1], loop.step[1], i, part);
      const Vector<T> left = load_stretched(a + at[2], loop.step[2], i, part);
      const Vector<T> right = load_stretched(b + at[3], loop.step[3], i, part);
      part.store(y + at[0] + i, chosen ? left : right);
    });
  });
}

template <class T>
void where_backward(const BinaryShape& shape, const Shape& mask_shape, const std::uint8_t* mask,
                    const T* dy, GradientSink<T> da, GradientSink<T> db, int threads) {
  const BroadcastLoop<4> loop({shape.result, mask_shape, shape.a, shape.b});
  // choose(mask, dy) along a row.
  const auto terms = [&](const auto& choose) {
    return [&, choose](const Offsets<4>& at) {
      return [choose, row = mask + at[1], upstream = dy + at[0], step = loop.step[1]](
                 std::int64_t i, const auto& part) {
        return choose(load_mask<T>(row, step, i, part), part.load(upstream + i));
      };
    };
  };
  using Mask = Vector<IntegerOf<T>>;
  reduce_to(loop, 2, da, threads,
            terms([](Mask chosen, Vector<T> g) { return chosen ? g : Vector<T>{}; }));
  reduce_to(loop, 3, db, threads,
            terms([](Mask chosen, Vector<T> g) { return chosen ? Vector<T>{} : g; }));
}

template <class T>
void masked_fill(const Shape& shape, const Shape& mask_shape, const std::uint8_t* mask, const T* x,
                 double value, T* y, int threads) {
  const T filler = static_cast<T>(value);
  where({Shape{}, shape, shape}, mask_shape, mask, &filler, x, y, threads);
}

template <class T>
void masked_fill_backward(const Shape& shape, const Shape& mask_shape, const std::uint8_t* mask,
                          const T* dy, GradientSink<T> dx, int threads) {
  where_backward({Shape{}, shape, shape}, mask_shape, mask, dy, {}, dx, threads);
}

template void binary(Binary, const BinaryShape&, const float*, const float*, float*, int);
template void binary_backward(Binary, const BinaryShape&, const float*, const float*, const float*,
                              GradientSink<float>, GradientSink<float>, int);
template void where(const BinaryShape&, const Shape&, const std::uint8_t*, const float*,
                    const float*, float*, int);
template void where_backward(const BinaryShape&, const Shape&, const std::uint8_t*, const float*,
                             GradientSink<float>, GradientSink<float>, int);
template void masked_fill(const Shape&, const Shape&, const std::uint8_t*, const float*, double,
                          float*, int);
template void masked_fill_backward(const Shape&, const Shape&, const std::uint8_t*, const float*,
                                   GradientSink<float>, int);
template void binary(Binary, const BinaryShape&, const double*, const double*, double*, int);
template void binary_backward(Binary, const BinaryShape&, const double*, const double*,
                              const double*, GradientSink<double>, GradientSink<double>, int);
template void where(const BinaryShape&, const Shape&, const std::uint8_t*, const double*,
                    const double*, double*, int);
template void where_backward(const BinaryShape&, const Shape&, const std::uint8_t*, const double*,
                             GradientSink<double>, GradientSink<double>, int);
template void masked_fill(const Shape&, const Shape&, const std::uint8_t*, const double*, double,
                          double*, int);
template void masked_fill_backward(const Shape&, const Shape&, const std::uint8_t*, const double*,
                                   GradientSink<double>, int);

}  // namespace heddle::kernels
