#include "train/product_timing.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "autograd/base/parallel.h"
#include "autograd/base/random.h"
#include "autograd/profile.h"

namespace heddle {

namespace {

using kernels::ProductShape;

// Numbers in [-1, 1): zeros, denormal numbers and overflows might be faster or slower.
std::vector<float> numbers(std::int64_t count, std::uint32_t which) {
  std::vector<float> values(static_cast<std::size_t>(count));
  const RandomStream random = random_stream({}, which);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = random(0, i / 4)[i % 4];
    values[i] = static_cast<float>(bits) * 0x1p-31F - 1.0F;
  }
  return values;
}

}  // namespace

// The operands of one lane. All products share them, so that they need no more memory than the
// largest product; the activations of a lane do not fit into a cache either way.
class ProductTiming::Lane {
 public:
  Lane(Products products, kernels::GemmLibrary library)
      : products_(std::move(products)), library_(library) {
    std::int64_t x = 0, weight = 0, y = 0;
    for (const ProductShape& p : products_) {
      x = std::max(x, p.m * p.k);
      weight = std::max(weight, p.n * p.k);
      y = std::max(y, p.m * p.n);
    }
    x_ = numbers(x, 0);
    weight_ = numbers(weight, 1);
    y_.resize(static_cast<std::size_t>(y));  // results, as are these
    dx_.resize(x_.size());
    dweight_.resize(weight_.size());
  }

  void run(Which which) {
    for (const auto& [m, n, k] : products_) {
      float *const x = x_.data(), *const weight = weight_.data(), *const y = y_.data();
      multiply({m, n, k}, {x, k}, {weight, k, true}, {y, n});
      if (which == Which::kForward) continue;
      multiply({m, k, n}, {y, n}, {weight, k}, {dx_.data(), k});
      multiply({n, k, m}, {y, n, true}, {x, k}, {dweight_.data(), k});
    }
  }

 private:
  void multiply(const ProductShape& shape, kernels::Operand<float> a, kernels::Operand<float> b,
                kernels::Product<float> c) {
    kernels::gemm<float>(shape, a, b, c, scratch_, 1, library_);
    scratch_.reset();
  }

  Products products_;
  kernels::GemmLibrary library_;
  std::vector<float> x_, weight_, y_, dx_, dweight_;
  Arena scratch_;
};

ProductTiming::ProductTiming(std::vector<Products> lanes, int threads, kernels::GemmLibrary library,
                             Which which)
    : threads_(threads), which_(which) {
  for (Products& products : lanes) {
    lanes_.push_back(std::make_unique<Lane>(std::move(products), library));
  }
}

ProductTiming::~ProductTiming() = default;

void ProductTiming::run() {
  const auto body = [&](int lane) { lanes_[static_cast<std::size_t>(lane)]->run(which_); };
  const std::int64_t begin = nanoseconds_now();
  run_lanes(static_cast<int>(lanes_.size()), threads_, 1, std::cref(body));
  best_ = std::min(best_, nanoseconds_now() - begin);
}

}  // namespace heddle
