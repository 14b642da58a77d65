// Attention on one thread, counted as 4 n_q n_k head_dim operations per head forward (two products)
// and 10 backward (five, the scores being computed again); half of that for causal attention.
#include <cmath>

#include "autograd/kernels/attention.h"
#include "benchmarks/report.h"

namespace heddle::bench {

namespace {

struct Setting {
  std::int64_t sentences, length;
  int heads, head_dim;
  bool causal;
  double dropout;
};

void add(std::vector<Pair>& pairs, const Setting& s) {
  const std::int64_t tokens = s.sentences * s.length;
  const std::int64_t d = s.heads * s.head_dim;
  const Buffer qkv(tokens * 3 * d), y(tokens * d), dy(tokens * d), dqkv(tokens * 3 * d),
      logsumexp(tokens * s.heads);
  const std::vector<std::int32_t> lengths(static_cast<std::size_t>(s.sentences),
                                          static_cast<std::int32_t>(s.length));
  const std::vector<Sequence> sequences = packed(lengths);
  const auto shape = [=](const std::vector<Sequence>& kept) {
    return kernels::AttentionShape{s.heads,
                                   s.heads,
                                   s.head_dim,
                                   1.0 / std::sqrt(static_cast<double>(s.head_dim)),
                                   s.causal,
                                   kept,
                                   kept,
                                   nullptr,
                                   kernels::Dropout(s.dropout, {})};
  };
  const std::int64_t ld = 3 * d;
  const auto rows = [=](std::int64_t first) {
    return kernels::Rows<const float>{qkv.data() + first, ld};
  };
  const auto gradient = [=](std::int64_t first) {
    return kernels::GradientRows<float>{{dqkv.data() + first}, ld};
  };
  const double pairs_seen = static_cast<double>(s.sentences * s.heads * s.length) *
                            static_cast<double>(s.causal ? s.length + 1 : 2 * s.length) / 2;
  const double product = 2.0 * pairs_seen * s.head_dim;
  const std::string name = std::to_string(s.sentences) + " sentences of " +
                           std::to_string(s.length) + ", " + std::to_string(s.heads) +
                           " heads of " + std::to_string(s.head_dim) +
                           (s.causal ? ", causal" : "") + (s.dropout > 0.0 ? ", dropout" : "");
  const auto forward = [=] {
    kernels::attention<float>(shape(sequences), rows(0), rows(d), rows(2 * d), {y.data(), d},
                              logsumexp.data(), 1);
  };
  forward();
  pairs.push_back({"attention", name, 2 * product, true, forward, nullptr});
  pairs.push_back({"attention backward", name, 5 * product, true,
                   [=] {
                     kernels::attention_backward<float>(
                         shape(sequences), rows(0), rows(d), rows(2 * d), {y.data(), d},
                         logsumexp.data(), {dy.data(), d}, gradient(0), gradient(d),
                         gradient(2 * d), 1);
                   },
                   nullptr});
}

}  // namespace

std::vector<Pair> attention_pairs() {
  std::vector<Pair> pairs;
  for (const double dropout : {0.0, 0.3}) {
    add(pairs, {256, 16, 4, 32, false, dropout});
    add(pairs, {256, 16, 4, 32, true, dropout});
  }
  add(pairs, {64, 32, 8, 64, false, 0.0});
  add(pairs, {64, 32, 8, 64, true, 0.1});
  add(pairs, {8, 512, 8, 64, false, 0.0});
  add(pairs, {8, 512, 8, 64, true, 0.0});
  return pairs;
}

}  // namespace heddle::bench
