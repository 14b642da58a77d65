#include "autograd/kernels/rotary.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/parallel.h"
#include "autograd/kernels/simd.h"

namespace heddle::kernels {

namespace {

// Turns all heads of one token by the angles in `turns` [cos | sin], or back. Head after head, so
// that memory is read in order: the angles come from the nearest cache.
template <bool kBack, bool kAdd, class T>
void turn_heads(std::int64_t heads, std::int64_t half, const T* turns, const T* source, T* to) {
  for (std::int64_t head = 0; head < heads; ++head) {
    for_each_vector<T>(half, [&](std::int64_t j, const auto& part) {
      const Vector<T> cosine = part.load(turns + j);
      const Vector<T> forth = part.load(turns + half + j);
      const Vector<T> sine = kBack ? -forth : forth;
      const Vector<T> a = part.load(source + j);
      const Vector<T> b = part.load(source + half + j);
      put(part, to + j, kAdd, multiply_add<T>(a, cosine, -(b * sine)));
      put(part, to + half + j, kAdd, multiply_add<T>(b, cosine, a * sine));
    });
    source += 2 * half;
    to += 2 * half;
  }
}

}  // namespace

template <class T>
void rotary_table(std::span<const std::int64_t> positions, std::int64_t half, double base, T* table,
                  int threads) {
  // A sine and a cosine cost about as much as 64 elements elsewhere.
  const std::int64_t grain = grain_for(64 * static_cast<std::int64_t>(positions.size()));
  parallel_for(threads, half, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const double frequency = std::pow(base, -static_cast<double>(j) / static_cast<double>(half));
      T* entry = table + j;
      for (const std::int64_t position : positions) {
        const double angle = static_cast<double>(position) * frequency;
        entry[0] = static_cast<T>(std::cos(angle));
        entry[half] = static_cast<T>(std::sin(angle));
        entry += 2 * half;
      }
    }
  });
}

template <class T>
void rotary(const RotaryShape& s, const T* table, const T* x, T* y, int threads) {
  const std::int64_t width = s.heads * 2 * s.half;
  parallel_for(threads, s.tokens, grain_for(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t token = begin; token < end; ++token) {
      turn_heads<false, false>(s.heads, s.half, table + s.rows[token] * 2 * s.half,
                               x + token * s.columns, y + token * width);
    }
  });
}

template <class T>
void rotary_backward(const RotaryShape& s, const T* table, const T* dy, GradientSink<T> dx,
                     int threads) {
  const std::int64_t width = s.heads * 2 * s.half;
  parallel_for(threads, s.tokens, grain_for(s.columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t token = begin; token < end; ++token) {
      const T* const turns = table + s.rows[token] * 2 * s.half;
      const T* const upstream = dy + token * width;
      T* const to = dx.data + token * s.columns;
      if (dx.add) {
        turn_heads<true, true>(s.heads, s.half, turns, upstream, to);
      } else {
        turn_heads<true, false>(s.heads, s.half, turns, upstream, to);
        std::fill(to + width, to + s.columns, T{0});
      }
    }
  });
}

template void rotary_table(std::span<const std::int64_t>, std::int64_t, double, float*, int);
template void rotary_table(std::span<const std::int64_t>, std::int64_t, double, double*, int);
template void rotary(const RotaryShape&, const float*, const float*, float*, int);
template void rotary(const RotaryShape&, const double*, const double*, double*, int);
template void rotary_backward(const RotaryShape&, const float*, const float*, GradientSink<float>,
                              int);
template void rotary_backward(const RotaryShape&, const double*, const double*,
                              GradientSink<double>, int);

}  // namespace heddle::kernels
