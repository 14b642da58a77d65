#include "optim/adam.h"

#include <cmath>

#include "autograd/kernels/simd.h"

namespace heddle {

namespace {

using kernels::broadcast;
using kernels::multiply_add;
using kernels::Vector;

constexpr double kLeastEps = 1e-37;  // in float32 it is not 0
constexpr double kBetas[] = {0.9, 0.98};

// What is the same for all elements of a range.
template <class T>
struct AdamFactors {
  T gradient_scale;
  T coupled_decay;  // of Adam
  T kept;           // of a parameter by AdamW: 1 - a w
  T beta1, rest1;   // b1 and 1 - b1
  T beta2, rest2;
  T step;  // -a / (1 - b1^t)
  T root;  // 1 / sqrt(1 - b2^t)
  T eps;
};

template <class T>
void update(std::int64_t n, const AdamFactors<T>& by, const T* g, T* p, T* m, T* v) {
  const Vector<T> scale = broadcast(by.gradient_scale), decay = broadcast(by.coupled_decay);
  const Vector<T> kept = broadcast(by.kept), step = broadcast(by.step);
  const Vector<T> beta1 = broadcast(by.beta1), rest1 = broadcast(by.rest1);
  const Vector<T> beta2 = broadcast(by.beta2), rest2 = broadcast(by.rest2);
  const Vector<T> root = broadcast(by.root), eps = broadcast(by.eps);
  kernels::for_each_vector<T>(n, [&](std::int64_t i, auto part) {
    const Vector<T> value = part.load(p + i);
    const Vector<T> gradient = multiply_add<T>(decay, value, part.load(g + i) * scale);
    const Vector<T> first = multiply_add<T>(beta1, part.load(m + i), rest1 * gradient);
    const Vector<T> squared = rest2 * gradient * gradient;
    const Vector<T> second = multiply_add<T>(beta2, part.load(v + i), squared);
    const Vector<T> width = multiply_add<T>(kernels::square_root<T>(second), root, eps);
    part.store(m + i, first);
    part.store(v + i, second);
    part.store(p + i, multiply_add<T>(step, first / width, value * kept));
  });
}

}  // namespace

Adam::Adam(const Config& config, bool decoupled_decay) : decoupled_decay_(decoupled_decay) {
  const auto betas = config.numbers("betas", kBetas, Numbers::probability(),
                                    "Decay of the first and the second moment.");
  beta1_ = betas[0];
  beta2_ = betas[1];
  eps_ =
      config.number("eps", 1e-9, {.least = kLeastEps}, "Added to the root of the second moment.");
}

void Adam::allocate(const ParameterStore& store, std::span<const ParameterRule> rules) {
  ranges_ = trained_ranges(store, rules);
  first_.allocate(store);
  second_.allocate(store);
}

void Adam::step(const UpdateInput& input) {
  const auto t = static_cast<double>(input.update);
  const double correction = 1.0 - std::pow(beta1_, t);
  const double root = 1.0 / std::sqrt(1.0 - std::pow(beta2_, t));
  dispatch(input.store.dtype(), "adam", [&](auto zero) {
    using T = decltype(zero);
    const auto* const g = static_cast<const T*>(input.gradients.slab());
    auto* const p = static_cast<T*>(input.store.slab());
    auto* const m = static_cast<T*>(first_.slab());
    auto* const v = static_cast<T*>(second_.slab());
    for_each_range(ranges_, input.threads, [&](const SlabRange& range) {
      const double rate = input.learning_rate * range.learning_rate_factor;
      const double decay = range.weight_decay;
      const AdamFactors<T> by{static_cast<T>(input.gradient_scale),
                              static_cast<T>(decoupled_decay_ ? 0.0 : decay),
                              static_cast<T>(decoupled_decay_ ? 1.0 - rate * decay : 1.0),
                              static_cast<T>(beta1_),
                              static_cast<T>(1.0 - beta1_),
                              static_cast<T>(beta2_),
                              static_cast<T>(1.0 - beta2_),
                              static_cast<T>(-rate / correction),
                              static_cast<T>(root),
                              static_cast<T>(eps_)};
      const std::int64_t at = range.begin;
      update(range.end - at, by, g + at, p + at, m + at, v + at);
    });
  });
}

std::vector<StateTensor> Adam::state(const ParameterStore& store,
                                     std::span<const ParameterRule> rules) const {
  std::vector<StateTensor> state;
  first_.add_state("adam.first", store, rules, state);
  second_.add_state("adam.second", store, rules, state);
  return state;
}

}  // namespace heddle
