// Linear layers and the fused loss beside the plain sgemm calls of the same products, on one
// thread.
#include <cblas.h>

#include "autograd/kernels/activation.h"
#include "autograd/kernels/cross_entropy.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/row_invariant_product.h"
#include "benchmarks/report.h"

namespace heddle::bench {

namespace {

constexpr std::int64_t kTokens = 4096;

// C [m, n] = op(A) op(B): one call of BLAS.
void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, bool ta, const float* b,
           bool tb, float* c) {
  const auto as_int = [](std::int64_t x) { return static_cast<blasint>(x); };
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
              as_int(m), as_int(n), as_int(k), 1.0F, a, as_int(ta ? m : k), b, as_int(tb ? k : n),
              0.0F, c, as_int(n));
}

void add_linear(std::vector<Pair>& pairs, Arena& scratch, std::int64_t in, std::int64_t out) {
  const Buffer x(kTokens * in), w(out * in), bias(out), y(kTokens * out), dy(kTokens * out),
      dx(kTokens * in), dw(out * in), db(out);
  const std::string shape =
      std::to_string(kTokens) + "x" + std::to_string(in) + " to " + std::to_string(out);
  const double product = 2.0 * static_cast<double>(kTokens * in * out);
  const auto relu = kernels::Activation::kRelu;
  pairs.push_back({"linear, bias, relu", shape, product, true,
                   [=, &scratch] {
                     kernels::gemm<float>({kTokens, out, in}, {x.data(), in}, {w.data(), in, true},
                                          {y.data(), out}, scratch, 1);
                     kernels::bias_activation<float>(relu, kTokens, out, y.data(), bias.data(),
                                                     nullptr, y.data(), 1);
                   },
                   [=] { sgemm(kTokens, out, in, x.data(), false, w.data(), true, y.data()); }});
  pairs.push_back({"linear backward", shape, 2 * product, true,
                   [=, &scratch] {
                     kernels::bias_activation_backward<float>(relu, kTokens, out, y.data(),
                                                              dy.data(), dy.data(), {db.data()}, 1);
                     kernels::gemm<float>({kTokens, in, out}, {dy.data(), out}, {w.data(), in},
                                          {dx.data(), in}, scratch, 1);
                     kernels::gemm<float>({out, in, kTokens}, {dy.data(), out, true},
                                          {x.data(), in}, {dw.data(), in}, scratch, 1);
                   },
                   [=] {
                     sgemm(kTokens, in, out, dy.data(), false, w.data(), false, dx.data());
                     sgemm(out, in, kTokens, dy.data(), true, x.data(), false, dw.data());
                   }});
  pairs.push_back({"linear, inference", shape, product, true,
                   [=] {
                     kernels::row_invariant_product<float>({kTokens, out, in}, {x.data(), in},
                                                           {w.data(), in, true}, {y.data(), out},
                                                           1);
                   },
                   [=] { sgemm(kTokens, out, in, x.data(), false, w.data(), true, y.data()); }});
}

void add_cross_entropy(std::vector<Pair>& pairs, Arena& scratch, std::int64_t d,
                       std::int64_t vocabulary) {
  const Buffer x(kTokens * d), w(vocabulary * d), dx(kTokens * d), dw(vocabulary * d),
      logits(kTokens * vocabulary);
  std::vector<std::int32_t> targets;
  for (std::int32_t i = 0; i < kTokens; ++i) {
    targets.push_back(i * 7919 % static_cast<std::int32_t>(vocabulary));
  }
  const std::vector<double> weights(kTokens, 1.0 / kTokens);
  pairs.push_back(
      {"cross_entropy and its gradients",
       std::to_string(kTokens) + "x" + std::to_string(d) + ", " + std::to_string(vocabulary) +
           " classes",
       6.0 * static_cast<double>(kTokens * d * vocabulary), true,
       [=, &scratch] {
         kernels::cross_entropy<float>({kTokens, d, vocabulary, vocabulary, x.data(), w.data(),
                                        nullptr, targets.data(), weights.data(), 0.1},
                                       {{dx.data()}, {dw.data()}, {}}, scratch, 1);
       },
       [=] {
         sgemm(kTokens, vocabulary, d, x.data(), false, w.data(), true, logits.data());
         sgemm(kTokens, d, vocabulary, logits.data(), false, w.data(), false, dx.data());
         sgemm(vocabulary, d, kTokens, logits.data(), true, x.data(), false, dw.data());
       }});
}

}  // namespace

std::vector<Pair> matrix_pairs() {
  static Arena scratch;
  // The references call BLAS without the door, which keeps BLAS on one thread for its own calls
  // only.
  openblas_set_num_threads(1);
  std::vector<Pair> pairs;
  for (const std::int64_t d : {128, 256, 512}) {
    add_linear(pairs, scratch, d, d);
    add_linear(pairs, scratch, d, 4 * d);
  }
  add_linear(pairs, scratch, 128, 384);
  add_cross_entropy(pairs, scratch, 128, 10000);
  add_cross_entropy(pairs, scratch, 256, 64);
  return pairs;
}

}  // namespace heddle::bench
