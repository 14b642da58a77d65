#include "optim/sgd.h"

#include "autograd/kernels/simd.h"

namespace heddle {

namespace {

using kernels::broadcast;
using kernels::multiply_add;
using kernels::Vector;

template <class T>
struct SgdFactors {
  T gradient_scale;
  T decay;
  T momentum;
  T step;  // -a
};

// `b` is null without momentum.
template <class T>
void update(std::int64_t n, const SgdFactors<T>& by, bool nesterov, const T* g, T* p, T* b) {
  const Vector<T> scale = broadcast(by.gradient_scale), decay = broadcast(by.decay);
  const Vector<T> momentum = broadcast(by.momentum), step = broadcast(by.step);
  kernels::for_each_vector<T>(n, [&](std::int64_t i, auto part) {
    const Vector<T> value = part.load(p + i);
    const Vector<T> gradient = multiply_add<T>(decay, value, part.load(g + i) * scale);
    Vector<T> direction = gradient;
    if (b != nullptr) {
      const Vector<T> velocity = multiply_add<T>(momentum, part.load(b + i), gradient);
      part.store(b + i, velocity);
      direction = nesterov ? multiply_add<T>(momentum, velocity, gradient) : velocity;
    }
    part.store(p + i, multiply_add<T>(step, direction, value));
  });
}

}  // namespace

Sgd::Sgd(const Config& config)
    : momentum_(config.number("momentum", 0.9, Numbers::probability(),
                              "What is kept of the direction before; 0: nothing.")),
      nesterov_(config.flag("nesterov", false, "Whether the momentum looks one step ahead.")) {
  if (nesterov_ && momentum_ == 0.0) {
    config.error("nesterov", "needs a momentum above 0");
  }
}

void Sgd::allocate(const ParameterStore& store, std::span<const ParameterRule> rules) {
  ranges_ = trained_ranges(store, rules);
  if (momentum_ > 0.0) velocity_.allocate(store);
}

void Sgd::step(const UpdateInput& input) {
  dispatch(input.store.dtype(), "sgd", [&](auto zero) {
    using T = decltype(zero);
    const auto* const g = static_cast<const T*>(input.gradients.slab());
    auto* const p = static_cast<T*>(input.store.slab());
    auto* const b = static_cast<T*>(velocity_.slab());
    for_each_range(ranges_, input.threads, [&](const SlabRange& range) {
      const SgdFactors<T> by{static_cast<T>(input.gradient_scale),
                             static_cast<T>(range.weight_decay), static_cast<T>(momentum_),
                             static_cast<T>(-input.learning_rate * range.learning_rate_factor)};
      const std::int64_t at = range.begin;
      update(range.end - at, by, nesterov_, g + at, p + at, b == nullptr ? b : b + at);
    });
  });
}

std::vector<StateTensor> Sgd::state(const ParameterStore& store,
                                    std::span<const ParameterRule> rules) const {
  std::vector<StateTensor> state;
  if (velocity_.slab() != nullptr) velocity_.add_state("sgd.velocity", store, rules, state);
  return state;
}

}  // namespace heddle
