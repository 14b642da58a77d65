#include "autograd/tape.h"

#include <algorithm>
#include <utility>

#include "autograd/context.h"
#include "autograd/numeric_guard.h"
#include "autograd/profile.h"

namespace heddle {

namespace {

template <class T>
void add_or_copy(const T* source, std::int64_t count, kernels::GradientSink<T> sink) {
  if (!sink) return;
  if (!sink.add) {
    std::copy_n(source, count, sink.data);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) sink.data[i] += source[i];
}

}  // namespace

void Backward::give(const Tensor& gradient, const Tensor& x) const {
  if (!x.needs_gradient()) return;
  Tape::Slot& to = tape_.slot(x);
  Tape::check_not_consumed(to);
  if (to.slab == nullptr && to.gradient == nullptr) {
    to.gradient = gradient.data;
    to.capacity = gradient.bytes();
    to.written = true;
    return;
  }
  dispatch(gradient.dtype, "backward", [&](auto zero) {
    using T = decltype(zero);
    add_or_copy<T>(gradient.as<T>(), x.elements(), sink<T>(x));
  });
}

std::int32_t Tape::add_slot(const Tensor& tensor) {
  check(is_floating(tensor.dtype), "tape: no gradient for ", tensor.dtype);
  Slot& slot = slots_.emplace_back();
  slot.shape = tensor.shape;
  slot.dtype = tensor.dtype;
  return static_cast<std::int32_t>(slots_.size()) - 1;
}

std::int32_t Tape::add_slot(const Tensor& tensor, Parameter parameter, GradientSlab& slab) {
  const std::int32_t index = add_slot(tensor);
  slots_.back().parameter = parameter;
  slots_.back().slab = &slab;
  return index;
}

Tape::Slot& Tape::slot(const Tensor& tensor) {
  check(tensor.slot >= 0 && tensor.slot < static_cast<std::int32_t>(slots_.size()), "tape: tensor ",
        tensor.shape, " has no gradient in this step");
  return slot(tensor.slot);
}

std::span<const std::int32_t> Tape::slots_of(Arena& arena, std::span<const Tensor> tensors) {
  auto* const slots = arena.allocate<std::int32_t>(static_cast<std::int64_t>(tensors.size()));
  std::transform(tensors.begin(), tensors.end(), slots, [](const Tensor& t) { return t.slot; });
  return {slots, tensors.size()};
}

void Tape::check_not_consumed(const Slot& slot) {
  check(!slot.recycled, "backward: an activation ", slot.shape,
        " belongs to a part of the tape that backward has consumed; add the losses, or run forward "
        "again");
}

void Tape::retain(const Tensor& tensor) {
  slot(tensor).retained = true;
}

// The smallest free buffer that fits without wasting more than half of it, else new memory.
void Tape::ensure_buffer(Slot& slot) {
  if (slot.gradient != nullptr) return;
  const auto bytes = static_cast<std::size_t>(slot.shape.elements()) * size_of(slot.dtype);
  auto best = free_.end();
  for (auto buffer = free_.begin(); buffer != free_.end(); ++buffer) {
    const bool fits = buffer->capacity >= bytes && buffer->capacity / 2 <= bytes;
    if (fits && (best == free_.end() || buffer->capacity < best->capacity)) best = buffer;
  }
  if (best == free_.end()) {
    slot.gradient = gradients_.allocate(bytes);
    slot.capacity = bytes;
    return;
  }
  slot.gradient = best->memory;
  slot.capacity = best->capacity;
  *best = free_.back();
  free_.pop_back();
}

void Tape::backward(Context& context, const Tensor& loss) {
  check(loss.elements() == 1, "backward: the loss has shape ", loss.shape, ", not one element");
  const Tensor upstream = dispatch(loss.dtype, "backward", [&](auto zero) {
    using T = decltype(zero);
    const T one[] = {T{1}};
    return context.constant(loss.shape, std::span<const T>(one));
  });
  backward(context, loss, upstream);
}

void Tape::backward(Context& context, const Tensor& output, const Tensor& upstream) {
  context.check_usable("backward", output);
  context.check_usable("backward", upstream);
  check(output.needs_gradient(), "backward: the loss depends on nothing that needs a gradient");
  check(output.shape == upstream.shape && output.dtype == upstream.dtype, "backward: gradient ",
        upstream.shape, " of ", upstream.dtype, " for a result ", output.shape, " of ",
        output.dtype);
  dispatch(output.dtype, "backward", [&](auto zero) {
    using T = decltype(zero);
    add_or_copy<T>(upstream.as<T>(), output.elements(), Backward(context, *this).sink<T>(output));
  });
  run(context);
}

void Tape::run(Context& context) {
  Backward pass(context, *this);
  for (Node* node = std::exchange(last_, nullptr); node != nullptr; node = node->previous) {
    if (!reached(*node)) {
      check(!node->must_be_reached, node->names.op,
            ": was recorded, but the loss does not depend on it");
      continue;
    }
    {
      const OpTimer timer(context.profile(), node->names.op, Pass::kBackward);
      node->run(node->functor, pass);
    }
    if (context.scanning()) scan_gradients(*node);
    recycle(*node);
  }
  node_count_ = 0;
}

bool Tape::reached(const Node& node) const {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [&](std::int32_t index) {
    return index >= 0 && slots_[static_cast<std::size_t>(index)].written;
  });
}

// The outputs of a node that has run are used by nobody any more: all their users came later on the
// tape, and have run before.
void Tape::recycle(const Node& node) {
  for (const std::int32_t index : node.outputs) {
    if (index < 0) continue;
    Slot& done = slot(index);
    if (done.retained) continue;
    if (done.gradient != nullptr) free_.push_back({done.gradient, done.capacity});
    done.gradient = nullptr;
    done.recycled = true;
  }
}

void Tape::scan_gradients(const Node& node) {
  for (const std::int32_t index : node.inputs) {
    const Slot& input = slot(index);
    if (input.written) scan_backward(node.names.op, node.names.scope, gradient_of(input));
  }
}

Tensor Tape::gradient_of(const Slot& slot) const {
  Tensor result;
  result.shape = slot.shape;
  result.dtype = slot.dtype;
  result.data = slot.slab != nullptr ? slot.slab->data(slot.parameter) : slot.gradient;
  return result;
}

Tensor Tape::gradient(Context& context, const Tensor& tensor) {
  context.check_usable("gradient", tensor);
  Slot& wanted = slot(tensor);
  check(!wanted.recycled, "gradient: that of an activation ", tensor.shape,
        " was recycled; call retain(tensor) before backward");
  const bool written =
      wanted.slab != nullptr ? wanted.slab->written(wanted.parameter) : wanted.written;
  if (!written) {
    dispatch(tensor.dtype, "gradient", [&](auto zero) {
      using T = decltype(zero);
      const auto sink = Backward(context, *this).sink<T>(tensor);
      if (!sink.add) std::fill_n(sink.data, tensor.elements(), T{0});
    });
  }
  Tensor result = gradient_of(wanted);
  result.shape = tensor.shape;  // it may have been reshaped
  result.stamp = tensor.stamp;
  return result;
}

void Tape::reset() {
  slots_.clear();
  last_ = nullptr;
  node_count_ = 0;
  free_.clear();
  kept_.clear();
  gradients_.reset();
}

}  // namespace heddle
