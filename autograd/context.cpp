#include "autograd/context.h"

#include <atomic>

namespace heddle {

namespace {

// Numbers contexts, so that a tensor knows its own. 0 is no context.
std::uint32_t next_id() {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

}  // namespace

Context::Context(int threads) : id_(next_id()), threads_(threads) {
  check(threads >= 1, "context: ", threads, " threads");
}

Context::Context(GradientSlab& gradients, int threads) : Context(threads) {
  gradients_ = &gradients;
}

void Context::begin(Mode mode, const StepKey& key) {
  mode_ = mode;
  key_ = key;
  next_op_ = 0;
  scope_ = {};
  tape_.reset();
  arena_.reset();
  scratch_.reset();
}

void Context::retain(const Tensor& tensor) {
  check_usable("retain", tensor);
  tape_.retain(tensor);
}

Tensor Context::view(void* data, const Shape& shape, DType dtype) const {
  check(data != nullptr || shape.elements() == 0, "view: no memory for shape ", shape);
  Tensor result;
  result.data = data;
  result.shape = shape;
  result.dtype = dtype;
  result.stamp = stamp();
  return result;
}

kernels::Dropout Context::next_dropout(double probability) {
  if (!training() || probability == 0.0) return {};
  return {probability, next_random()};
}

Tensor Context::use(Parameter parameter) {
  Tensor result;
  result.data = parameter.store->data(parameter);
  result.shape = parameter.shape();
  result.dtype = parameter.store->dtype();
  result.stamp = stamp();
  const bool trained = parameter.store->entry(parameter.first).trainable;
  for (std::int32_t i = 0; i < parameter.count; ++i) {
    const ParameterStore::Entry& entry = parameter.store->entry(parameter.first + i);
    check(entry.trainable == trained, "parameter ", trained ? entry.name : parameter.name(),
          ": frozen beside one that is not (", trained ? parameter.name() : entry.name,
          "), though both are used as one matrix; freeze both or neither");
    if (scanning_) scan_parameter({parameter.store, parameter.first + i, 1});
  }
  if (recording() && gradients_ != nullptr && trained) {
    check(&gradients_->store() == parameter.store, "parameter ", parameter.name(),
          ": belongs to another store than the gradients of this context");
    result.slot = tape_.add_slot(result, parameter, *gradients_);
  }
  return result;
}

Tensor Context::empty(const Shape& shape, DType dtype) {
  Tensor result;
  result.shape = shape;
  result.dtype = dtype;
  result.stamp = stamp();
  result.data = arena_.allocate(result.bytes());
  return result;
}

void Context::check_usable(const char* op, const Tensor& tensor) const {
  if (tensor.stamp == stamp()) [[likely]] {
    return;
  }
  check(tensor.stamp.context == id_, op, ": tensor ", tensor.shape,
        " belongs to another context (use it where it was made)");
  fail(op, ": tensor ", tensor.shape, " belongs to an earlier step; its memory is gone");
}

}  // namespace heddle
