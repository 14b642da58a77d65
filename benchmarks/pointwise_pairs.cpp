// Functions of elements, softmax and reductions, on one thread.
#include "autograd/kernels/binary.h"
#include "autograd/kernels/reduction.h"
#include "autograd/kernels/softmax.h"
#include "autograd/kernels/unary.h"
#include "benchmarks/report.h"

namespace heddle::bench {

namespace {

constexpr std::int64_t kRows = 4096;

Pair pair_of(const std::string& kernel, std::int64_t d, int reads, int writes,
             std::function<void()> run) {
  const std::int64_t n = kRows * d;
  return {kernel,
          std::to_string(kRows) + "x" + std::to_string(d),
          static_cast<double>(n) * 4 * (reads + writes),
          false,
          std::move(run),
          plain_copy(n, reads, writes)};
}

struct Named {
  const char* name;
  kernels::Unary function;
};

void add_unary(std::vector<Pair>& pairs, std::int64_t d) {
  const std::int64_t n = kRows * d;
  const Buffer x(n), y(n), dy(n), dx(n);
  for (const Named& f : {Named{"exp", kernels::Unary::kExp},
                         {"tanh", kernels::Unary::kTanh},
                         {"sigmoid", kernels::Unary::kSigmoid},
                         {"relu", kernels::Unary::kRelu},
                         {"gelu", kernels::Unary::kGelu},
                         {"silu", kernels::Unary::kSilu}}) {
    const kernels::Unary function = f.function;
    const std::string name = f.name;
    pairs.push_back(
        pair_of(name, d, 1, 1, [=] { kernels::unary<float>(function, n, x.data(), y.data(), 1); }));
    pairs.push_back(pair_of(name + " backward", d, 2, 1, [=] {
      kernels::unary_backward<float>(function, n, x.data(), dy.data(), {dx.data()}, 1);
    }));
  }
}

void add_binary(std::vector<Pair>& pairs, std::int64_t d) {
  const std::int64_t n = kRows * d;
  const Buffer a(n), b(n), y(n), row(d);
  const Shape full{kRows, d};
  pairs.push_back(pair_of("add", d, 2, 1, [=] {
    kernels::binary<float>(kernels::Binary::kAdd, {full, full, full}, a.data(), b.data(), y.data(),
                           1);
  }));
  pairs.push_back(pair_of("mul by a row", d, 1, 1, [=] {
    kernels::binary<float>(kernels::Binary::kMul, {full, {d}, full}, a.data(), row.data(), y.data(),
                           1);
  }));
}

void add_softmax(std::vector<Pair>& pairs, std::int64_t d) {
  const std::int64_t n = kRows * d;
  const Buffer x(n, 3.0F), y(n), dy(n), dx(n), sums(kRows);
  const AxisShape shape{kRows, d, 1};
  pairs.push_back(
      pair_of("softmax", d, 1, 1, [=] { kernels::softmax<float>(shape, x.data(), y.data(), 1); }));
  pairs.push_back(pair_of("softmax backward", d, 2, 1, [=] {
    kernels::softmax_backward<float>(shape, y.data(), dy.data(), {dx.data()}, 1);
  }));
  pairs.push_back(pair_of("log_softmax", d, 1, 1,
                          [=] { kernels::log_softmax<float>(shape, x.data(), y.data(), 1); }));
  pairs.push_back(pair_of("log_softmax backward", d, 2, 1, [=] {
    kernels::log_softmax_backward<float>(shape, y.data(), dy.data(), {dx.data()}, 1);
  }));
  pairs.push_back({"sum of rows", std::to_string(kRows) + "x" + std::to_string(d),
                   static_cast<double>(n) * 4, false,
                   [=] { kernels::sum<float>(shape, 1.0, x.data(), sums.data(), 1); }, nullptr});
}

}  // namespace

std::vector<Pair> pointwise_pairs() {
  std::vector<Pair> pairs;
  for (const std::int64_t d : {128, 256, 512}) {
    add_unary(pairs, d);
    add_binary(pairs, d);
    add_softmax(pairs, d);
  }
  return pairs;
}

}  // namespace heddle::bench
