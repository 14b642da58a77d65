#include "autograd/kernels/dropout.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/check.h"
#include "autograd/base/parallel.h"

namespace heddle::kernels {

Dropout::Dropout(double probability, const RandomStream& random) : stream(random) {
  check(probability >= 0.0 && probability < 1.0, "dropout: probability ", probability,
        " is outside [0, 1)");
  threshold = std::min<std::uint32_t>(
      static_cast<std::uint32_t>(std::lround(probability * 65536.0)), 65535);
  scale = 65536.0 / (65536.0 - threshold);
}

bool dropout_keeps(const Dropout& dropout, std::uint64_t row, std::uint32_t column) {
  const PhiloxCounter bits = dropout.stream(column, row / kDropoutRows);
  const std::uint32_t part = static_cast<std::uint32_t>(row % kDropoutRows);
  return (bits[part / 2] >> (16 * (part % 2)) & 0xFFFF) >= dropout.threshold;
}

void dropout_bits(const Dropout& dropout, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits) {
  for (std::int64_t i = 0; i < count; ++i) {
    const PhiloxCounter words = dropout.stream(first + static_cast<std::uint32_t>(i), row_group);
    std::uint32_t kept = 0;
    for (std::uint32_t word = 0; word < 4; ++word) {
      kept |= static_cast<std::uint32_t>((words[word] & 0xFFFF) >= dropout.threshold) << (2 * word);
      kept |= static_cast<std::uint32_t>((words[word] >> 16) >= dropout.threshold)
              << (2 * word + 1);
    }
    bits[i] = static_cast<std::uint8_t>(kept);
  }
}

template <class T>
void dropout(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
             GradientTarget<T> y, int threads) {
  parallel_for(threads, rows, kDropoutRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        const bool kept =
            dropout_keeps(dropout, static_cast<std::uint64_t>(r), static_cast<std::uint32_t>(c));
        put(y, r * columns + c, kept ? x[r * columns + c] * static_cast<T>(dropout.scale) : T{0});
      }
    }
  });
}

template void dropout(const Dropout&, std::int64_t, std::int64_t, const float*,
                      GradientTarget<float>, int);
template void dropout(const Dropout&, std::int64_t, std::int64_t, const double*,
                      GradientTarget<double>, int);

}  // namespace heddle::kernels
