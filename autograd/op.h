// What every operation does around its kernel: check its inputs, allocate its result, record.
//
//   Tensor square(Context& context, const Tensor& x) {
//     Op op(context, "square", {x});
//     const Tensor y = op.output(x.shape, x.dtype);
//     ... fill y ...
//     op.record({y}, [=](Backward& b) { ... read b.upstream<T>(y), write b.target<T>(x) ... });
//     return y;
//   }
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>

#include "autograd/context.h"

namespace heddle {

class Op {
 public:
  /// Throws unless all inputs belong to this step of `context`. `name` must be a literal.
  Op(Context& context, const char* name, std::initializer_list<Tensor> inputs)
      : Op(context, name, std::span<const Tensor>(inputs.begin(), inputs.size())) {}
  Op(Context& context, const char* name, std::span<const Tensor> inputs)
      : context_(context), name_(name) {
    for (const Tensor& input : inputs) {
      if (input.data != nullptr) context.check_usable(name, input);
    }
    if (context.recording()) differentiable_ = slots_of_inputs(inputs);
  }

  /// Whether a backward function will be kept: what only backward needs is saved only then.
  bool recording() const { return !differentiable_.empty(); }

  /// An uninitialised result.
  Tensor output(const Shape& shape, DType dtype) const {
    Tensor result = context_.empty(shape, dtype);
    if (recording()) result.slot = context_.tape().add_slot(result);
    return result;
  }

  /// Ends the operation: scans the results where the context asks for it and appends a node.
  template <class F>
  void record(std::initializer_list<Tensor> outputs, const F& backward) const {
    const std::span<const Tensor> results(outputs.begin(), outputs.size());
    if (context_.scanning()) scan_forward(context_, name_, results);
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

  Context& context_;
  const char* name_;
  std::span<const std::int32_t> differentiable_;  // slots of the inputs that need a gradient
};

}  // namespace heddle
