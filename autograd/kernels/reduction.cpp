#include "autograd/kernels/reduction.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/kernels/pointwise.h"
#include "autograd/kernels/rows.h"

namespace heddle::kernels {

namespace {

// dx[i] (+)= gradient(part, i, r) for all i, where r is the place in [outer, inner] that x[i]
// reduces to; on contiguous rows r is one place for all elements, which `at` hides.
template <class T, class Gradient>
void spread(const AxisShape& shape, GradientSink<T> dx, int threads, const Gradient& gradient) {
  if (!dx) return;
  const auto put_part = [&](std::int64_t i, Vector<T> v, const auto& part) {
    part.store(dx.data + i, dx.add ? part.load(dx.data + i) + v : v);
  };
  if (shape.inner == 1) {
    for_each_row(shape, threads, [&](std::int64_t row) {
      const auto at = [row](const T* reduced) { return broadcast(reduced[row]); };
      const std::int64_t first = row * shape.length;
      for_each_vector<T>(shape.length, [&](std::int64_t i, const auto& part) {
        put_part(first + i, gradient(first + i, at, part), part);
      });
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t result, const auto& part) {
    const auto at = [&](const T* reduced) { return part.load(reduced + result); };
    for (std::int64_t j = 0; j < shape.length; ++j) {
      const std::int64_t i = first + j * shape.inner;
      put_part(i, gradient(i, at, part), part);
    }
  });
}

// The largest and its place among neighbours, one element each.
template <class T, class Part>
void max_of_strip(const AxisShape& shape, const T* x, T* y, std::int32_t* index, const Part& part) {
  using Int = IntegerOf<T>;
  Vector<T> best = part.load(x);
  Vector<Int> place = {};
  for (std::int64_t j = 1; j < shape.length; ++j) {
    const Vector<T> value = part.load(x + j * shape.inner);
    const Vector<Int> better = (value > best) | ((value != value) & (best == best));
    best = better ? value : best;
    place = better ? broadcast(static_cast<Int>(j)) : place;
  }
  part.store(y, best);
  if (index == nullptr) return;
  Int places[kElements<T>];
  store(places, place);
  for (int element = 0; element < part.size(); ++element) {
    index[element] = static_cast<std::int32_t>(places[element]);
  }
}

// The place of the first element that equals `largest`, or of the first NaN if it is one.
template <class T>
std::int32_t first_place_of(T largest, std::int64_t n, const T* x) {
  using Int = IntegerOf<T>;
  const bool is_nan = largest != largest;
  const auto smaller = [](Vector<Int> a, Vector<Int> b) { return a < b ? a : b; };
  const Vector<Int> nowhere = broadcast(std::numeric_limits<Int>::max());
  Vector<Int> first = nowhere;
  Vector<Int> place;
  for (int element = 0; element < kElements<T>; ++element) place[element] = element;
  for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
    const Vector<T> value = part.load(x + i, kLowest<T>);
    const Vector<Int> found = is_nan ? value != value : value == largest;
    first = smaller(first, found ? place : nowhere);
    place += static_cast<Int>(kElements<T>);
  });
  return static_cast<std::int32_t>(fold_elements<Int>(first, smaller));
}

// Whole arrays are cut into at most this many blocks, so that their results fit the stack.
constexpr std::int64_t kMostBlocks = 256;

std::int64_t block_of(std::int64_t n) {
  const std::int64_t block = (n + kMostBlocks - 1) / kMostBlocks;
  return std::max<std::int64_t>(16384, (block + 63) / 64 * 64);
}

template <class T>
double squares_of_block(std::int64_t n, const T* x) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return sum_along<double>(n, [&](std::int64_t i, const auto& part) {
      const Vector<double> v = part.load(x + i);
      return v * v;
    });
  } else {
    using Half [[gnu::vector_size(kVectorBytes / 2)]] = float;
    return sum_along<double>(n, [&](std::int64_t i, const auto& part) {
      Half narrow = {};
      std::memcpy(&narrow, x + i, static_cast<std::size_t>(part.size()) * sizeof(float));
      const Vector<double> v = __builtin_convertvector(narrow, Vector<double>);
      return v * v;
    });
  }
}

// Whether x - x is 0 everywhere, which it is for finite numbers alone.
template <class T>
bool all_finite(std::int64_t n, const T* x) {
  return sum_along<T>(n, [&](std::int64_t i, const auto& part) {
           const Vector<T> v = part.load(x + i);
           return v - v;
         }) == 0;
}

}  // namespace

template <class T>
void sum(const AxisShape& shape, double factor, const T* x, T* y, int threads) {
  const T scale = static_cast<T>(factor);
  if (shape.inner == 1) {
    for_each_row(shape, threads, [&](std::int64_t row) {
      y[row] = row_sum(shape.length, x + row * shape.length) * scale;
    });
    return;
  }
  for (std::int64_t outer = 0; outer < shape.outer; ++outer) {
    sum_down<T>(shape.length, shape.inner, scale, {y + outer * shape.inner, false}, threads,
                rows_of(x + outer * shape.length * shape.inner, shape.inner));
  }
}

template <class T>
void sum_backward(const AxisShape& shape, double factor, const T* dy, GradientSink<T> dx,
                  int threads) {
  const T scale = static_cast<T>(factor);
  spread(shape, dx, threads,
         [&](std::int64_t, const auto& at, const auto&) { return at(dy) * scale; });
}

template <class T>
void max(const AxisShape& shape, const T* x, T* y, std::int32_t* index, int threads) {
  if (shape.inner == 1) {
    for_each_row(shape, threads, [&](std::int64_t row) {
      const T* const source = x + row * shape.length;
      y[row] = largest_along(shape.length, source, larger_or_nan<T>);
      if (index != nullptr) index[row] = first_place_of(y[row], shape.length, source);
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t result, const auto& part) {
    max_of_strip(shape, x + first, y + result, index == nullptr ? nullptr : index + result, part);
  });
}

template <class T>
void max_backward(const AxisShape& shape, const std::int32_t* index, const T* dy,
                  GradientSink<T> dx, int threads) {
  if (!dx) return;
  const std::int64_t block = shape.length * shape.inner;
  parallel_for(threads, shape.outer, grain_for(block), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t outer = begin; outer < end; ++outer) {
      T* const to = dx.data + outer * block;
      if (!dx.add) std::fill(to, to + block, T{0});
      for (std::int64_t i = 0; i < shape.inner; ++i) {
        const std::int64_t result = outer * shape.inner + i;
        to[index[result] * shape.inner + i] += dy[result];
      }
    }
  });
}

template <class T>
void variance(const AxisShape& shape, int correction, const T* x, T* y, T* mean, int threads) {
  const T count = static_cast<T>(shape.length);
  const T divisor = static_cast<T>(shape.length - correction);
  if (shape.inner == 1) {
    const std::int64_t n = shape.length;
    for_each_row_block(shape, threads, [&](std::int64_t first, std::int64_t rows) {
      for (std::int64_t r = first; r < first + rows; ++r) mean[r] = row_sum(n, x + r * n) / count;
      for (std::int64_t r = first; r < first + rows; ++r) {
        y[r] = sum_along<T>(n,
                            [&](std::int64_t i, const auto& part) {
                              const Vector<T> deviation = part.load(x + r * n + i) - mean[r];
                              return deviation * deviation;
                            }) /
               divisor;
      }
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t result, const auto& part) {
    const auto at = [&](std::int64_t j) { return part.load(x + first + j * shape.inner); };
    Vector<T> total = {};
    for (std::int64_t j = 0; j < shape.length; ++j) total += at(j);
    const Vector<T> centre = total / count;
    Vector<T> squares = {};
    for (std::int64_t j = 0; j < shape.length; ++j) {
      squares += (at(j) - centre) * (at(j) - centre);
    }
    part.store(mean + result, centre);
    part.store(y + result, squares / divisor);
  });
}

template <class T>
void variance_backward(const AxisShape& shape, int correction, const T* x, const T* mean,
                       const T* dy, GradientSink<T> dx, int threads) {
  const T factor = T{2} / static_cast<T>(shape.length - correction);
  spread(shape, dx, threads, [&](std::int64_t i, const auto& at, const auto& part) {
    return at(dy) * factor * (part.load(x + i) - at(mean));
  });
}

template <class T>
void logsumexp(const AxisShape& shape, const T* x, T* y, int threads) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // Where the largest is infinite, so is the result: infinity - infinity must not be formed.
  if (shape.inner == 1) {
    const std::int64_t n = shape.length;
    for_each_row_block(shape, threads, [&](std::int64_t first, std::int64_t rows) {
      T shift[kMostRows];
      T total[kMostRows];
      for (std::int64_t r = 0; r < rows; ++r) {
        const T largest = max_along(n, x + (first + r) * n);
        shift[r] = std::abs(largest) == kInfinity ? T{0} : largest;
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        total[r] = exp_sum_along(n, x + (first + r) * n, shift[r]);
      }
      map_row<false>(
          rows, y + first, [](Vector<T> s, Vector<T> t) { return s + log<T>(t); }, shift, total);
    });
    return;
  }
  for_each_strip<T>(shape, threads, [&](std::int64_t first, std::int64_t result, const auto& part) {
    const auto at = [&](std::int64_t j) { return part.load(x + first + j * shape.inner); };
    Vector<T> largest = at(0);
    for (std::int64_t j = 1; j < shape.length; ++j) largest = larger_or_nan<T>(largest, at(j));
    const Vector<T> shift = detail::absolute<T>(largest) == kInfinity ? Vector<T>{} : largest;
    Vector<T> total = {};
    for (std::int64_t j = 0; j < shape.length; ++j) total += exp<T>(at(j) - shift);
    part.store(y + result, shift + log<T>(total));
  });
}

template <class T>
void logsumexp_backward(const AxisShape& shape, const T* x, const T* y, const T* dy,
                        GradientSink<T> dx, int threads) {
  spread(shape, dx, threads, [&](std::int64_t i, const auto& at, const auto& part) {
    return at(dy) * exp<T>(part.load(x + i) - at(y));
  });
}

template <class T>
T row_sum(std::int64_t n, const T* x) {
  return sum_along<T>(n, [&](std::int64_t i, const auto& part) { return part.load(x + i); });
}

template <class T>
void column_sums(std::int64_t rows, std::int64_t columns, const T* x, GradientSink<T> sums,
                 int threads) {
  if (!sums) return;
  sum_down<T>(rows, columns, T{1}, sums, threads, rows_of(x, columns));
}

template <class T>
double sum_of_squares(std::int64_t n, const T* x, int threads) {
  const std::int64_t block = block_of(n);
  std::array<double, kMostBlocks> partial{};
  parallel_for(threads, n, block, [&](std::int64_t begin, std::int64_t end) {
    partial[static_cast<std::size_t>(begin / block)] = squares_of_block(end - begin, x + begin);
  });
  double total = 0.0;
  for (const double part : partial) total += part;
  return total;
}

template <class T>
std::int64_t first_non_finite(std::int64_t n, const T* x) {
  constexpr std::int64_t kBlock = 4096;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = std::min(n, begin + kBlock);
    if (all_finite(end - begin, x + begin)) continue;
    return std::find_if(x + begin, x + end, [](T v) { return !std::isfinite(v); }) - x;
  }
  return -1;
}

template void sum(const AxisShape&, double, const float*, float*, int);
template void sum(const AxisShape&, double, const double*, double*, int);
template void sum_backward(const AxisShape&, double, const float*, GradientSink<float>, int);
template void sum_backward(const AxisShape&, double, const double*, GradientSink<double>, int);
template void max(const AxisShape&, const float*, float*, std::int32_t*, int);
template void max(const AxisShape&, const double*, double*, std::int32_t*, int);
template void max_backward(const AxisShape&, const std::int32_t*, const float*, GradientSink<float>,
                           int);
template void max_backward(const AxisShape&, const std::int32_t*, const double*,
                           GradientSink<double>, int);
template void variance(const AxisShape&, int, const float*, float*, float*, int);
template void variance(const AxisShape&, int, const double*, double*, double*, int);
template void variance_backward(const AxisShape&, int, const float*, const float*, const float*,
                                GradientSink<float>, int);
template void variance_backward(const AxisShape&, int, const double*, const double*, const double*,
                                GradientSink<double>, int);
template void logsumexp(const AxisShape&, const float*, float*, int);
template void logsumexp(const AxisShape&, const double*, double*, int);
template void logsumexp_backward(const AxisShape&, const float*, const float*, const float*,
                                 GradientSink<float>, int);
template void logsumexp_backward(const AxisShape&, const double*, const double*, const double*,
                                 GradientSink<double>, int);
template float row_sum(std::int64_t, const float*);
template double row_sum(std::int64_t, const double*);
template double sum_of_squares(std::int64_t, const float*, int);
template double sum_of_squares(std::int64_t, const double*, int);
template std::int64_t first_non_finite(std::int64_t, const float*);
template std::int64_t first_non_finite(std::int64_t, const double*);
template void column_sums(std::int64_t, std::int64_t, const float*, GradientSink<float>, int);
template void column_sums(std::int64_t, std::int64_t, const double*, GradientSink<double>, int);

}  // namespace heddle::kernels
