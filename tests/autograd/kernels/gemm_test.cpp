#include "autograd/kernels/gemm.h"

#include <cblas.h>
#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "autograd/base/parallel.h"
#include "autograd/kernels/one_dnn.h"
#include "autograd/kernels/row_invariant_product.h"
#include "tests/support/random_values.h"

namespace {

using heddle::Arena;
using heddle::kernels::gemm;
using heddle::kernels::GemmLibrary;
using heddle::kernels::Operand;
using heddle::kernels::PreparedWeights;
using heddle::kernels::ProductShape;
using heddle::kernels::row_invariant_product;
using heddle::testing::random_values;

// Those that this build has.
std::vector<GemmLibrary> libraries() {
  std::vector<GemmLibrary> all = {GemmLibrary::kFaster, GemmLibrary::kOpenBlas};
  if (*heddle::kernels::one_dnn_version() != '\0') all.push_back(GemmLibrary::kOneDnn);
  return all;
}

template <class T>
struct Problem {
  ProductShape shape;
  bool transpose_a;
  bool transpose_b;
  std::vector<T> a, b;

  Problem(ProductShape s, bool ta, bool tb)
      : shape(s),
        transpose_a(ta),
        transpose_b(tb),
        a(random_values<T>(s.m * s.k, 1)),
        b(random_values<T>(s.k * s.n, 2)) {}

  Operand<T> left() const { return {a.data(), transpose_a ? shape.m : shape.k, transpose_a}; }
  Operand<T> right() const { return {b.data(), transpose_b ? shape.k : shape.n, transpose_b}; }

  double expected(std::int64_t i, std::int64_t j) const {
    double sum = 0.0;
    for (std::int64_t l = 0; l < shape.k; ++l) {
      const auto at = [](std::int64_t x) { return static_cast<std::size_t>(x); };
      const double left = a[at(transpose_a ? l * shape.m + i : i * shape.k + l)];
      const double right = b[at(transpose_b ? j * shape.k + l : l * shape.n + j)];
      sum += left * right;
    }
    return sum;
  }

  std::vector<T> product(bool add, T fill, int threads,
                         GemmLibrary library = GemmLibrary::kFaster) const {
    std::vector<T> c(static_cast<std::size_t>(shape.m * shape.n), fill);
    Arena scratch;
    gemm(shape, left(), right(), {c.data(), shape.n, add}, scratch, threads, library);
    CHECK(scratch.used() == 0);
    return c;
  }
};

template <class T>
void check_against_loops(ProductShape shape, bool ta, bool tb, GemmLibrary library,
                         double tolerance) {
  const Problem<T> problem(shape, ta, tb);
  // Overwriting must not read what was there.
  const auto c = problem.product(false, std::numeric_limits<T>::quiet_NaN(), 1, library);
  const auto added = problem.product(true, T{3}, 1, library);
  double worst = 0.0;
  for (std::int64_t i = 0; i < shape.m; ++i) {
    for (std::int64_t j = 0; j < shape.n; ++j) {
      const double expected = problem.expected(i, j);
      const auto index = static_cast<std::size_t>(i * shape.n + j);
      const double first = std::abs(c[index] - expected);
      const double second = std::abs(added[index] - 3.0 - expected);
      CHECK_UNARY(std::isfinite(c[index]));
      worst = std::max({worst, first, second});
    }
  }
  CAPTURE(shape.m);
  CAPTURE(shape.n);
  CAPTURE(shape.k);
  CHECK(worst <= tolerance * static_cast<double>(shape.k));
}

}  // namespace

TEST_CASE("gemm agrees with plain loops, overwriting and adding") {
  for (const ProductShape shape : {ProductShape{1, 1, 1},
                                   {3, 5, 7},
                                   {1, 40, 33},
                                   {65, 1, 9},
                                   {17, 19, 1},
                                   {70, 20, 2500},
                                   {600, 33, 12},
                                   {9, 1100, 5},
                                   {70, 130, 64}}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        check_against_loops<double>(shape, ta, tb, GemmLibrary::kFaster, 1e-15);
        for (const GemmLibrary library : libraries()) {
          check_against_loops<float>(shape, ta, tb, library, 1e-6);
        }
      }
    }
  }
}

TEST_CASE("an empty sum is zero, an empty product writes nothing") {
  const Problem<float> none({2, 3, 0}, false, false);
  CHECK(none.product(false, 7.0F, 1) == std::vector<float>(6, 0.0F));
  CHECK(none.product(true, 7.0F, 1) == std::vector<float>(6, 7.0F));
  const Problem<float> empty({0, 3, 4}, false, false);
  CHECK(empty.product(false, 7.0F, 2).empty());
}

TEST_CASE("products have the same bits on 1 to 4 threads") {
  // By panels, and by chunks of a long sum (weight gradients).
  for (const ProductShape shape : {ProductShape{1300, 128, 64}, {100, 3000, 32}, {96, 64, 5000}}) {
    const Problem<float> problem(shape, shape.k > 1000, false);
    for (const GemmLibrary library : libraries()) {
      const auto one = problem.product(false, 0.0F, 1, library);
      for (const int threads : {2, 3, 4}) {
        CHECK(problem.product(false, 0.0F, threads, library) == one);
      }
      const auto added = problem.product(true, 1.0F, 1, library);
      CHECK(problem.product(true, 1.0F, 3, library) == added);
    }
  }
}

TEST_CASE_TEMPLATE("rows of an inference product do not depend on the other rows", T, float,
                   double) {
  struct Weight {
    std::int64_t out, in;
  };
  // Projections, FFN and output layers of the tiny, char and base models, and tiny test models.
  std::vector<Weight> weights{{128, 128}, {384, 128}, {256, 128},  {128, 256},  {1000, 128},
                              {256, 256}, {768, 256}, {1024, 256}, {256, 1024}, {64, 256},
                              {512, 512}, {16, 16},   {33, 17},    {8, 64},     {40, 200},
                              {31, 129},  {9, 300}};
  for (const Weight& w : weights) {
    const Problem<T> all({640, w.out, w.in}, false, true);
    std::vector<T> reference(static_cast<std::size_t>(640 * w.out));
    row_invariant_product<T>(all.shape, all.left(), all.right(), {reference.data(), w.out}, 1);
    std::int64_t different = 0;
    PreparedWeights prepared;
    for (std::int64_t m = 1; m <= 64; ++m) {
      // The same rows, as the first of m and from somewhere in the middle.
      for (const std::int64_t first : {std::int64_t{0}, 5 * m}) {
        std::vector<T> c(static_cast<std::size_t>(m * w.out));
        row_invariant_product<T>({m, w.out, w.in}, {all.a.data() + first * w.in, w.in}, all.right(),
                                 {c.data(), w.out}, m % 4 == 0 ? 2 : 1,
                                 m % 3 == 0 ? &prepared : nullptr);
        different += std::equal(c.begin(), c.end(), reference.begin() + first * w.out) ? 0 : 1;
      }
    }
    CAPTURE(w.out);
    CAPTURE(w.in);
    CHECK(different == 0);
    CHECK(std::abs(reference[7] - all.expected(0, 7)) < 1e-4);
    const auto last = static_cast<std::size_t>(640 * w.out - 1);
    CHECK(std::abs(reference[last] - all.expected(639, w.out - 1)) < 1e-4);
  }
}

TEST_CASE_TEMPLATE("inference products are right everywhere, may add, and sum nothing to zero", T,
                   float, double) {
  for (const ProductShape shape :
       {ProductShape{9, 40, 200}, {7, 31, 129}, {1, 1, 300}, {16, 33, 1}}) {
    const Problem<T> problem(shape, false, true);
    std::vector<T> c(static_cast<std::size_t>(shape.m * shape.n), T{2});
    for (const bool add : {false, true}) {
      row_invariant_product<T>(shape, problem.left(), problem.right(), {c.data(), shape.n, add}, 2);
      double worst = 0.0;
      for (std::int64_t i = 0; i < shape.m; ++i) {
        for (std::int64_t j = 0; j < shape.n; ++j) {
          const double expected = (add ? 2.0 : 1.0) * problem.expected(i, j);
          const double got = static_cast<double>(c[static_cast<std::size_t>(i * shape.n + j)]);
          worst = std::max(worst, std::abs(got - expected));
        }
      }
      CHECK(worst < (sizeof(T) == 4 ? 1e-4 : 1e-12));
    }
  }
  const T none{};
  PreparedWeights prepared;
  for (PreparedWeights* const p : {static_cast<PreparedWeights*>(nullptr), &prepared}) {
    std::vector<T> c(6, T{7});
    row_invariant_product<T>({2, 3, 0}, {&none, 0}, {&none, 0, true}, {c.data(), 3}, 1, p);
    CHECK(c == std::vector<T>(6, T{0}));
  }
}

TEST_CASE("prepared weights: parts of one matrix are weights of their own, for several threads") {
  const Problem<float> problem({3, 96, 40}, false, true);
  PreparedWeights prepared;
  std::vector<float> expected(3 * 96), whole(3 * 96), first(3 * 32);
  row_invariant_product<float>(problem.shape, problem.left(), problem.right(),
                               {expected.data(), 96}, 1);
  const auto multiply = [&](std::int64_t n, std::vector<float>& c) {
    row_invariant_product<float>({3, n, 40}, problem.left(), problem.right(), {c.data(), n}, 1,
                                 &prepared);
  };
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> results(4, std::vector<float>(3 * 96));
  for (auto& result : results) threads.emplace_back([&] { multiply(96, result); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
  multiply(32, first);
  multiply(96, whole);
  CHECK(whole == expected);
  for (std::ptrdiff_t i = 0; i < 3; ++i) {
    CHECK(std::equal(first.begin() + 32 * i, first.begin() + 32 * (i + 1),
                     expected.begin() + 96 * i));
  }
}

TEST_CASE("a library that the build does not have is an error") {
  const Problem<float> problem({80, 80, 80}, false, true);
  if (*heddle::kernels::one_dnn_version() == '\0') {
    CHECK_THROWS_WITH(problem.product(false, 0.0F, 1, GemmLibrary::kOneDnn),
                      doctest::Contains("HEDDLE_ONEDNN"));
  } else {
    CHECK_NOTHROW(problem.product(false, 0.0F, 1, GemmLibrary::kOneDnn));
  }
}

TEST_CASE("the faster library goes by shape, transposition and processor") {
  using heddle::kernels::one_dnn_is_faster;
  const bool there = *heddle::kernels::one_dnn_version() != '\0';
  CHECK(one_dnn_is_faster({64, 64, 64}, false) == there);
  for (const ProductShape& small : {ProductShape{63, 80, 80}, {80, 63, 80}, {80, 80, 63}}) {
    CHECK_FALSE(one_dnn_is_faster(small, false));
  }
  CHECK(one_dnn_is_faster({80, 80, 384}, false) == there);
  const bool avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  CHECK(one_dnn_is_faster({80, 80, 385}, false) == (there && avx512));
  CHECK(one_dnn_is_faster({80, 80, 80}, true) == (there && avx512));
  for (const ProductShape& shape : {ProductShape{80, 80, 80}, {80, 80, 400}, {80, 80, 40}}) {
    for (const bool transposed : {false, true}) {
      const Problem<float> problem(shape, transposed, false);
      const bool one_dnn = one_dnn_is_faster(shape, transposed);
      CHECK(
          problem.product(false, 0.0F, 1) ==
          problem.product(false, 0.0F, 1, one_dnn ? GemmLibrary::kOneDnn : GemmLibrary::kOpenBlas));
    }
  }
}

TEST_CASE("BLAS runs on one thread and OpenMP keeps its own count") {
  omp_set_num_threads(3);
  const Problem<float> problem({300, 300, 300}, false, false);
  for (const GemmLibrary library : libraries()) {
    CHECK(problem.product(false, 0.0F, 1, library).size() == 90000);
  }
  CHECK(openblas_get_num_threads() == 1);
  CHECK(omp_get_max_threads() == 3);
  omp_set_num_threads(heddle::available_threads());
  CHECK(heddle::kernels::blas_core_name()[0] != '\0');
}
