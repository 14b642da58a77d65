// Functions applied element by element, and how their loops run: blocks of 16,384 elements, vectors
// of the machine's width, the rest of a row by the same formula.
#pragma once

#include <cstdint>

#include "autograd/base/parallel.h"
#include "autograd/kernels/gradient_sink.h"
#include "autograd/kernels/simd.h"

namespace heddle::kernels {

inline constexpr std::int64_t kPointwiseGrain = 16384;

/// to[i] (+)= f(sources[i]...), f from vectors to a vector; `to` may be one of the sources.
template <bool kAdd, class T, class F, class... Source>
[[gnu::always_inline]] inline void map_row(std::int64_t n, T* to, const F& f,
                                           const Source*... sources) {
  for_each_vector<T>(n, [&](std::int64_t i, const auto& part) {
    const Vector<T> value = f(part.load(sources + i)...);
    if constexpr (kAdd) {
      part.store(to + i, part.load(to + i) + value);
    } else {
      part.store(to + i, value);
    }
  });
}

/// The same over n elements on up to `threads` threads.
template <class T, class F, class... Source>
void map(std::int64_t n, GradientSink<T> sink, int threads, const F& f, const Source*... sources) {
  parallel_for(threads, n, kPointwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    if (sink.add) {
      map_row<true>(end - begin, sink.data + begin, f, sources + begin...);
    } else {
      map_row<false>(end - begin, sink.data + begin, f, sources + begin...);
    }
  });
}

}  // namespace heddle::kernels
