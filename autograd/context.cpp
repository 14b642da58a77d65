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

kernels::Dropout Context::next_dropout(double probability) {
  check(probability >= 0.0 && probability < 1.0, "dropout: probability ", probability,
        " is outside [0, 1)");
  if (!training() || probability == 0.0) return {};
  return {probability, next_random()};
}

Tensor Context::use(Parameter parameter) {
  Tensor result;
  result.data = parameter.store->data(parameter);
  result.shape = parameter.shape();
  result.dtype = parameter.store->dtype();
  result.stamp = stamp();
  if (scanning_) scan_parameter(parameter.name(), result);
  const bool trained = parameter.store->entry(parameter.first).trainable;
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
