// What every operation does around its kernel: check its inputs, allocate its result, record.
//
//   Tensor square(Context& context, const Tensor& x) {
//     Op op(context, "square", {x});
//     const Tensor y = op.output(x.shape, x.dtype);
//     ... fill y ...
//     op.record({y}, [=](Backward& b) { ... read b.upstream<T>(y), write b.sink<T>(x) ... });
//     return y;
//   }
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>

#include "autograd/context.h"
#include "autograd/profile.h"

namespace heddle {

/// Throws, naming `op`, unless `x` holds floating numbers: for what is not dispatched at once.
inline void check_floating(const char* op, const Tensor& x) {
  check(is_floating(x.dtype), op, ": needs float32 or float64, not ", x.shape, " of ", x.dtype);
}

class Op {
 public:
  /// Throws unless all inputs belong to this step of `context`; the last `optional` ones may be
  /// empty Tensors: not given. `name` must be a literal.
  Op(Context& context, const char* name, std::initializer_list<Tensor> inputs, int optional = 0)
      : Op(context, name, std::span<const Tensor>(inputs.begin(), inputs.size()), optional) {}
  Op(Context& context, const char* name, std::span<const Tensor> inputs, int optional = 0)
      : timer_(context.profile(), name, Pass::kForward), context_(context), name_(name) {
    const std::size_t needed = inputs.size() - static_cast<std::size_t>(optional);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      check(inputs[i].data != nullptr || i >= needed, name, ": input ", i, " is an empty Tensor");
      if (inputs[i].data != nullptr) context.check_usable(name, inputs[i]);
    }
    if (context.recording()) differentiable_ = slots_of_inputs(inputs);
  }

  /// Whether a backward function will be kept: what only backward needs is saved only then.
  bool recording() const { return !differentiable_.empty(); }

  /// The dropout of this operation: off without training. Throws where `probability` is not in
  /// [0, 1). To be asked for after all checks: it uses up random numbers of the step.
  kernels::Dropout dropout(double probability) const {
    check(probability >= 0.0 && probability < 1.0, name_, ": probability of dropout ", probability,
          " is outside [0, 1)");
    return context_.next_dropout(probability);
  }

  /// Tells a profile that this operation multiplies by a weight, forward and backward.
  void note_product(const kernels::ProductShape& product) const {
    if (context_.profile() != nullptr) context_.profile()->note_product(product);
  }

  /// An uninitialised result.
  Tensor output(const Shape& shape, DType dtype) const {
    Tensor result = context_.empty(shape, dtype);
    if (recording()) result.slot = context_.tape().add_slot(result);
    return result;
  }

  /// Ends the operation: scans the results where the context asks for it and appends a node.
  /// `infinite_on_purpose`: the results hold infinities because the caller asked for them.
  template <class F>
  void record(std::initializer_list<Tensor> outputs, const F& backward,
              bool infinite_on_purpose = false) const {
    const std::span<const Tensor> results(outputs.begin(), outputs.size());
    if (context_.scanning() && !infinite_on_purpose) scan_forward(context_, name_, results);
    if (!recording()) return;
    context_.tape().record(context_.arena(), {name_, context_.scope()}, differentiable_, results,
                           backward);
  }

 private:
  // In the arena, because the node keeps them. An optional input that is not there has no data.
  std::span<const std::int32_t> slots_of_inputs(std::span<const Tensor> inputs) const {
    const auto wanted = [](const Tensor& t) { return t.data != nullptr && t.needs_gradient(); };
    const auto count = std::count_if(inputs.begin(), inputs.end(), wanted);
    if (count == 0) return {};
    auto* const slots = context_.arena().allocate<std::int32_t>(count);
    auto* next = slots;
    for (const Tensor& input : inputs) {
      if (wanted(input)) *next++ = input.slot;
    }
    return {slots, static_cast<std::size_t>(count)};
  }

  OpTimer timer_;
  Context& context_;
  const char* name_;
  std::span<const std::int32_t> differentiable_;  // slots of the inputs that need a gradient
};

}  // namespace heddle
