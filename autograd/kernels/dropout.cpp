#include "autograd/kernels/dropout.h"

#include <cmath>

#include "autograd/base/check.h"
#include "autograd/kernels/dropout_tile.h"

namespace heddle::kernels {

namespace {

// One 32-bit Philox word in the low half of every element; the high halves hold leftovers. So laid
// out a product needs one instruction and no shuffle.
using Words [[gnu::vector_size(kVectorBytes)]] = std::uint64_t;
using Halves [[gnu::vector_size(kVectorBytes)]] = std::uint16_t;

constexpr int kColumns = kElements<std::uint32_t>;  // of one group: two vectors of words
#ifdef __AVX512F__
constexpr int kGroups = 2;  // side by side, to hide the latency of the multiplications
#else
constexpr int kGroups = 1;  // sixteen registers hold no more
#endif

// The 64-bit products of the low halves. GCC 12 finds no single instruction for the plain form.
[[gnu::always_inline]] inline Words product(Words a, Words b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#else
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#endif
}

struct Counters {
  Words word[4];
};

[[gnu::always_inline]] inline void philox_round(Counters& c, const Words& key0, const Words& key1) {
  const Words product0 = product(c.word[0], Words{} + kPhiloxMultiplier0);
  const Words product1 = product(c.word[2], Words{} + kPhiloxMultiplier1);
  c.word[0] = (product1 >> 32) ^ c.word[1] ^ key0;
  c.word[1] = product1;
  c.word[2] = (product0 >> 32) ^ c.word[3] ^ key1;
  c.word[3] = product0;
}

// The bits of one group from the words of its even and of its odd columns.
[[gnu::always_inline]] inline void store_bits(const Counters& even, const Counters& odd,
                                              std::uint16_t threshold, std::uint8_t* bits) {
  Halves kept{};
#pragma GCC unroll 4
  for (int word = 0; word < 4; ++word) {
    const auto halves = reinterpret_cast<Halves>((even.word[word] & 0xFFFFFFFF) |  //
                                                 (odd.word[word] << 32));
    const std::uint32_t flags = (1U << (2 * word)) | (1U << (2 * word + 17));
    const auto flag = reinterpret_cast<Halves>(flags - Vector<std::uint32_t>{});
    kept |= halves >= threshold ? flag : Halves{};
  }
  const auto both = reinterpret_cast<Vector<std::uint32_t>>(kept);
  using Bytes [[gnu::vector_size(kColumns)]] = std::uint8_t;
  const Bytes bytes = __builtin_convertvector((both | both >> 16) & 0xFF, Bytes);
  std::memcpy(bits, &bytes, sizeof bytes);
}

// dropout_bits for `groups` groups of columns.
template <int groups>
[[gnu::always_inline]] inline void bits_of_groups(const DropoutKeys& keys, std::uint64_t row_group,
                                                  std::uint32_t first, std::uint8_t* bits) {
  Words pairs{};
  for (int i = 0; i < kElements<std::int64_t>; ++i) pairs[i] = static_cast<std::uint64_t>(2 * i);
  Counters counters[2 * groups];
#pragma GCC unroll 4
  for (int i = 0; i < 2 * groups; ++i) {
    const std::uint32_t column = first + static_cast<std::uint32_t>(i / 2 * kColumns + i % 2);
    counters[i] = {{pairs + column, Words{} + (row_group & 0xFFFFFFFF), Words{} + (row_group >> 32),
                    Words{} + keys.op}};
  }
#pragma GCC unroll 10
  for (int round = 0; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 4
    for (Counters& c : counters)
      philox_round(c, reinterpret_cast<const Words&>(keys.round[round][0]),
                   reinterpret_cast<const Words&>(keys.round[round][1]));
  }
  for (int g = 0; g < groups; ++g) {
    store_bits(counters[2 * g], counters[2 * g + 1], static_cast<std::uint16_t>(keys.threshold),
               bits + g * kColumns);
  }
}

}  // namespace

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

DropoutKeys::DropoutKeys(const Dropout& dropout)
    : op(dropout.stream.op), threshold(dropout.threshold) {
  PhiloxKey key = dropout.stream.key;
  for (auto& pair : round) {
    pair[0] = broadcast<std::int64_t>(key[0]);
    pair[1] = broadcast<std::int64_t>(key[1]);
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
}

void dropout_bits(const DropoutKeys& keys, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits) {
  std::int64_t i = 0;
  for (; i + kGroups * kColumns <= count; i += kGroups * kColumns) {
    bits_of_groups<kGroups>(keys, row_group, first + static_cast<std::uint32_t>(i), bits + i);
  }
  for (; i + kColumns <= count; i += kColumns) {
    bits_of_groups<1>(keys, row_group, first + static_cast<std::uint32_t>(i), bits + i);
  }
  if (i == count) return;
  std::uint8_t group[kColumns];
  bits_of_groups<1>(keys, row_group, first + static_cast<std::uint32_t>(i), group);
  std::memcpy(bits + i, group, static_cast<std::size_t>(count - i));
}

void dropout_bits(const Dropout& dropout, std::uint64_t row_group, std::uint32_t first,
                  std::int64_t count, std::uint8_t* bits) {
  dropout_bits(DropoutKeys(dropout), row_group, first, count, bits);
}

template <class T>
void dropout(const Dropout& dropout, std::int64_t rows, std::int64_t columns, const T* x,
             GradientSink<T> y, int threads) {
  const T scale = static_cast<T>(dropout.scale);
  parallel_for(threads, rows, dropout_grain(columns), [&](std::int64_t begin, std::int64_t end) {
    for_each_dropout_tile(dropout, begin, end, 0, columns, [=](const DropoutTile& tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const T* const from = x + (tile.row + r) * columns + tile.column;
        T* const to = y.data + (tile.row + r) * columns + tile.column;
        for_each_vector<T>(tile.columns, [=, kept = tile.kept(r)](auto i, const auto& part) {
          put(part, to + i, y.add, kept.template only<T>(i, part.load(from + i) * scale));
        });
      }
    });
  });
}

template void dropout(const Dropout&, std::int64_t, std::int64_t, const float*, GradientSink<float>,
                      int);
template void dropout(const Dropout&, std::int64_t, std::int64_t, const double*,
                      GradientSink<double>, int);

}  // namespace heddle::kernels
