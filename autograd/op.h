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

#include <array>
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
    check(inputs.size() <= kMaxInputs, name, ": more than ", kMaxInputs, " inputs");
    for (const Tensor& input : inputs) add_input(input);
  }

  /// Whether a backward function will be kept: what only backward needs is saved only then.
  bool recording() const { return needs_gradient_; }

  /// An uninitialised result.
  Tensor output(const Shape& shape, DType dtype) const {
    Tensor result = context_.empty(shape, dtype);
    if (needs_gradient_) result.slot = context_.tape().add_slot(result);
    return result;
  }

  /// Ends the operation: scans the results where the context asks for it and appends a node.
  template <class F>
  void record(std::initializer_list<Tensor> outputs, const F& backward) const {
    const std::span<const Tensor> results(outputs.begin(), outputs.size());
    if (context_.scanning()) scan_forward(context_, name_, results);
    if (!needs_gradient_) return;
    context_.tape().record(context_.arena(), {name_, context_.scope()},
                           std::span<const std::int32_t>(slots_.data(), slot_count_), results,
                           backward);
  }

 private:
  static constexpr std::size_t kMaxInputs = 64;

  void add_input(const Tensor& input) {
    if (input.data == nullptr) return;  // an optional input that is not there
    context_.check_usable(name_, input);
    if (!context_.recording() || !input.needs_gradient()) return;
    slots_[slot_count_++] = input.slot;
    needs_gradient_ = true;
  }

  Context& context_;
  const char* name_;
  std::array<std::int32_t, kMaxInputs> slots_;  // of the inputs that need a gradient
  std::size_t slot_count_ = 0;
  bool needs_gradient_ = false;
};

}  // namespace heddle
