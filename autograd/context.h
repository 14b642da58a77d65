// The context of a forward pass: memory, tape, randomness and threads of one lane.
//
// Everything an operation needs besides its tensors is here; there are no globals. One context is
// used by one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/base/arena.h"
#include "autograd/base/random.h"
#include "autograd/gradient_slab.h"
#include "autograd/kernels/dropout.h"
#include "autograd/numeric_guard.h"
#include "autograd/parameter.h"
#include "autograd/tape.h"
#include "autograd/tensor.h"

namespace heddle {

class OpProfile;
namespace kernels {
class PreparedWeights;
}

enum class Mode : std::uint8_t {
  kInference,  // no tape, dropout off, products whose rows do not depend on each other
  kTraining    // tape and dropout on
};

class Context {
 public:
  /// A context without parameters' gradients: inference, or training of leaves only.
  explicit Context(int threads = 1);
  /// A lane: gradients of parameters go to `gradients`, which outlives the context.
  explicit Context(GradientSlab& gradients, int threads = 1);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Begins a forward pass. All tensors that this context made before become invalid.
  void begin(Mode mode, const StepKey& key = {});

  bool training() const { return mode_ == Mode::kTraining; }
  bool recording() const { return training() && !paused_; }
  int threads() const { return threads_; }
  void set_threads(int threads) { threads_ = threads; }
  Tape& tape() { return tape_; }
  GradientSlab* gradients() const { return gradients_; }

  /// Memory of this step: results and what backward needs.
  Arena& arena() { return arena_; }
  /// Memory of one kernel call: take it inside an ArenaScope.
  Arena& scratch() { return scratch_; }
  /// The random numbers of the next operation that uses some.
  RandomStream next_random() { return random_stream(key_, next_op_++); }
  /// The dropout of the next operation: off without training. Throws where `probability` is not in
  /// [0, 1).
  kernels::Dropout next_dropout(double probability);

  /// The parameter as a tensor of this step.
  Tensor use(Parameter parameter);
  /// An uninitialised tensor of this step, without gradient.
  Tensor empty(const Shape& shape, DType dtype);
  /// Memory of somebody else that outlives the step (a cache, a table of positions) as a tensor of
  /// this step, without gradient.
  Tensor view(void* data, const Shape& shape, DType dtype) const;
  /// The same memory in another shape, with the same gradient (none while nothing is recorded).
  Tensor alias(Tensor tensor, const Shape& shape) const {
    tensor.shape = shape;
    if (!recording()) tensor.slot = Tensor::kNoSlot;
    return tensor;
  }
  /// A copy of `values` as a tensor of this step, without gradient.
  template <class T>
  Tensor constant(const Shape& shape, std::span<const T> values);
  /// The same with a gradient, read by tape().gradient() after backward.
  template <class T>
  Tensor leaf(const Shape& shape, std::span<const T> values);

  /// Gradients of everything that `loss` (one element) depends on.
  void backward(const Tensor& loss) { tape_.backward(*this, loss); }
  /// Keeps the gradient of an activation from being recycled, for gradient().
  void retain(const Tensor& tensor);
  /// The gradient of a leaf, a parameter or a retained activation, after backward; zero where
  /// nothing was written. Throws for an activation that was not retained.
  Tensor gradient(const Tensor& tensor) { return tape_.gradient(*this, tensor); }

  /// Throws, naming `op`, unless the tensor belongs to this step of this context.
  void check_usable(const char* op, const Tensor& tensor) const;

  /// The name of the layer that runs, for messages; set by NamedScope.
  std::string_view scope() const { return scope_; }
  /// Where set, every result and gradient is searched for non-finite numbers (numeric_guard.h).
  bool scanning() const { return scanning_; }
  void set_scanning(bool on) { scanning_ = on; }
  /// Where set, it is told how long every operation takes (profile.h). It must outlive its use.
  OpProfile* profile() const { return profile_; }
  void set_profile(OpProfile* profile) { profile_ = profile; }

  /// Where set, linear() takes its weights from there while nothing is trained: they must be
  /// parameters that nobody changes meanwhile.
  kernels::PreparedWeights* prepared_weights() const { return prepared_weights_; }
  void set_prepared_weights(kernels::PreparedWeights* prepared) { prepared_weights_ = prepared; }

 private:
  friend class NoGradient;
  friend class NamedScope;
  Stamp stamp() const { return {id_, arena_.generation()}; }

  std::uint32_t id_;
  int threads_;
  GradientSlab* gradients_ = nullptr;
  Mode mode_ = Mode::kInference;
  bool paused_ = false;
  bool scanning_ = false;
  OpProfile* profile_ = nullptr;
  kernels::PreparedWeights* prepared_weights_ = nullptr;
  StepKey key_;
  std::uint32_t next_op_ = 0;
  std::string_view scope_;
  Arena arena_;
  Arena scratch_;
  Tape tape_;
};

/// While alive nothing is recorded; dropout stays as it is.
class NoGradient {
 public:
  explicit NoGradient(Context& context) : context_(context), before_(context.paused_) {
    context.paused_ = true;
  }
  ~NoGradient() { context_.paused_ = before_; }
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  Context& context_;
  bool before_;
};

/// While alive, operations belong to the layer `name`, which must outlive the step.
class NamedScope {
 public:
  NamedScope(Context& context, std::string_view name) : context_(context), before_(context.scope_) {
    context.scope_ = name;
  }
  ~NamedScope() { context_.scope_ = before_; }
  NamedScope(const NamedScope&) = delete;
  NamedScope& operator=(const NamedScope&) = delete;

 private:
  Context& context_;
  std::string_view before_;
};

template <class T>
Tensor Context::constant(const Shape& shape, std::span<const T> values) {
  check(shape.elements() == static_cast<std::int64_t>(values.size()), "constant: ", values.size(),
        " values for shape ", shape);
  Tensor result = empty(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), static_cast<T*>(result.data));
  return result;
}

template <class T>
Tensor Context::leaf(const Shape& shape, std::span<const T> values) {
  Tensor result = constant(shape, values);
  if (recording()) result.slot = tape_.add_slot(result);
  return result;
}

template <class T>
const T* Backward::upstream(const Tensor& y) const {
  const Tape::Slot& slot = tape_.slot(y);
  return slot.written ? static_cast<const T*>(slot.gradient) : nullptr;
}

template <class T>
T* Backward::consume(const Tensor& y) const {
  const Tape::Slot& slot = tape_.slot(y);
  T* const gradient = static_cast<T*>(slot.gradient);
  if (!slot.retained) return gradient;
  return std::copy_n(gradient, y.elements(), context_.arena().allocate<T>(y.elements())) -
         y.elements();
}

template <class T>
kernels::GradientSink<T> Backward::sink(const Tensor& x) const {
  if (!x.needs_gradient()) return {};
  Tape::Slot& slot = tape_.slot(x);
  Tape::check_not_consumed(slot);
  if (slot.slab != nullptr) {
    slot.written = true;
    return slot.slab->sink<T>(slot.parameter);
  }
  tape_.ensure_buffer(slot);
  const bool add = slot.written;
  slot.written = true;
  return {static_cast<T*>(slot.gradient), add};
}

}  // namespace heddle
