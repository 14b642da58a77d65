// Norms, residual connections, dropout, embeddings and rearrangements over rows, on one thread.
#include "autograd/kernels/axes.h"
#include "autograd/kernels/dropout.h"
#include "autograd/kernels/embedding.h"
#include "autograd/kernels/residual_norm.h"
#include "benchmarks/report.h"

namespace heddle::bench {

namespace {

constexpr std::int64_t kNormRows = 4096;

std::string shape_of(std::int64_t d) {
  return std::to_string(kNormRows) + "x" + std::to_string(d);
}

Pair row_pair(const std::string& kernel, std::int64_t d, int reads, int writes,
              std::function<void()> run) {
  const std::int64_t n = kNormRows * d;
  return {kernel, shape_of(d),    static_cast<double>(n) * 4 * (reads + writes),
          false,  std::move(run), plain_copy(n, reads, writes)};
}

// Everything that a norm reads and writes.
struct NormBuffers {
  Buffer x, delta, dy, sum, y, dx, ddelta, gain, bias, mean, rstd, dgain, dbias, scratch;

  explicit NormBuffers(std::int64_t d)
      : x(kNormRows * d),
        delta(kNormRows * d),
        dy(kNormRows * d),
        sum(kNormRows * d),
        y(kNormRows * d),
        dx(kNormRows * d),
        ddelta(kNormRows * d),
        gain(d),
        bias(d),
        mean(kNormRows),
        rstd(kNormRows, 2.0F),
        dgain(d),
        dbias(d),
        scratch(kernels::norm_scratch(kNormRows, d)) {}

  kernels::Norm<float> norm(kernels::NormType type) const {
    return {type, 1e-5, gain.data(), bias.data()};
  }
  kernels::NormStatistics<float> statistics() const { return {mean.data(), rstd.data()}; }
  kernels::NormGradients<float> gradients() const {
    return {{dgain.data()}, {dbias.data()}, scratch.data()};
  }
};

void add_norms(std::vector<Pair>& pairs, std::int64_t d) {
  const NormBuffers b(d);
  for (const auto type : {kernels::NormType::kLayerNorm, kernels::NormType::kRmsNorm}) {
    const std::string name = type == kernels::NormType::kLayerNorm ? "layer_norm" : "rms_norm";
    pairs.push_back(row_pair(name, d, 1, 1, [=] {
      kernels::norm<float>(b.norm(type), kNormRows, d, b.x.data(), b.y.data(), b.statistics(), 1);
    }));
    pairs.push_back(row_pair(name + " backward", d, 2, 1, [=] {
      kernels::norm_backward<float>(b.norm(type), kNormRows, d, b.dy.data(), b.x.data(),
                                    b.statistics(), {b.dx.data()}, b.gradients(), 1);
    }));
  }
  for (const double p : {0.0, 0.1}) {
    const kernels::Dropout mask(p, {});
    const std::string name = p == 0.0 ? "residual_norm" : "residual_norm, dropout";
    const auto norm = b.norm(kernels::NormType::kLayerNorm);
    pairs.push_back(row_pair(name, d, 2, 2, [=] {
      kernels::residual_norm<float>(norm, mask, kNormRows, d, b.x.data(), b.delta.data(),
                                    b.sum.data(), b.y.data(), b.statistics(), 1);
    }));
    pairs.push_back(row_pair(name + " backward", d, 2, 2, [=] {
      kernels::residual_norm_backward<float>(norm, mask, kNormRows, d, {b.dy.data(), nullptr},
                                             b.sum.data(), b.statistics(),
                                             {{b.dx.data()}, {b.ddelta.data()}}, b.gradients(), 1);
    }));
  }
}

void add_dropout(std::vector<Pair>& pairs, std::int64_t d) {
  const Buffer x(kNormRows * d), y(kNormRows * d);
  const kernels::Dropout mask(0.1, {});
  pairs.push_back(row_pair("dropout", d, 1, 1, [=] {
    kernels::dropout<float>(mask, kNormRows, d, x.data(), {y.data()}, 1);
  }));
}

void add_embedding(std::vector<Pair>& pairs, std::int64_t d) {
  constexpr std::int32_t kVocabulary = 10000, kLength = 16;
  const Buffer table(kVocabulary * d), positions(64 * d), y(kNormRows * d), dtable(kVocabulary * d);
  const std::vector<std::int32_t> lengths(kNormRows / kLength, kLength);
  const std::vector<Sequence> sequences = packed(lengths);
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < kNormRows; ++i) ids.push_back(i * 7919 % kVocabulary);
  const kernels::Dropout mask(0.1, {});
  const auto tokens = [=](const std::vector<std::int32_t>& kept_ids,
                          const std::vector<Sequence>& kept) {
    return kernels::EmbeddingTokens{kNormRows, kept_ids.data(), -1, kept, nullptr};
  };
  pairs.push_back(row_pair("embedding, dropout", d, 1, 1, [=] {
    kernels::embedding<float>(tokens(ids, sequences), d, table.data(), 11.3, positions.data(), mask,
                              y.data(), 1);
  }));
  pairs.push_back(row_pair("embedding backward, adding", d, 2, 1, [=] {
    kernels::embedding_backward<float>(tokens(ids, sequences), d, 11.3, mask, y.data(),
                                       {{dtable.data(), true}, kVocabulary, {}, 0}, 1);
  }));
}

void add_axes(std::vector<Pair>& pairs, std::int64_t d) {
  const Buffer x(kNormRows * d), y(kNormRows * d);
  pairs.push_back(row_pair("transpose", d, 1, 1, [=] {
    kernels::transpose_matrices<float>(1, kNormRows, d, x.data(), {y.data()}, 1);
  }));
}

}  // namespace

std::vector<Pair> row_pairs() {
  std::vector<Pair> pairs;
  for (const std::int64_t d : {128, 256, 512}) {
    add_norms(pairs, d);
    add_dropout(pairs, d);
    add_embedding(pairs, d);
    add_axes(pairs, d);
  }
  return pairs;
}

}  // namespace heddle::bench
