// The tape: reverse-mode differentiation by recording operations as they run.
//
// Every operation appends a node; backward walks the nodes in reverse order, which is a valid order
// because an operation only sees results of earlier ones, and consumes them. A node whose outputs
// received no gradient is skipped. Gradients of activations live in buffers that are recycled as
// soon as the node that made the activation has run; the first write into a gradient overwrites,
// later ones add.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "autograd/base/arena.h"
#include "autograd/gradient_slab.h"
#include "autograd/tensor.h"

namespace heddle {

class Context;
class Tape;

/// What a backward function gets: gradients to read and places to write to.
class Backward {
 public:
  Backward(Context& context, Tape& tape) : context_(context), tape_(tape) {}

  Context& context() const { return context_; }
  /// The gradient that reached the output `y`, or null where none did (several outputs).
  template <class T>
  const T* upstream(const Tensor& y) const;
  /// The gradient of `y`, which must be there, as memory that may be overwritten.
  template <class T>
  T* consume(const Tensor& y) const;
  /// Where to write the gradient of the input `x`: null data where nobody wants it. The call counts
  /// as the write: the caller must write every element, or clear what it does not write.
  template <class T>
  kernels::GradientSink<T> sink(const Tensor& x) const;
  /// Gives a finished gradient, in memory of this step that nobody else uses, to `x` of the same
  /// size: without a copy where `x` has none yet.
  void give(const Tensor& gradient, const Tensor& x) const;

 private:
  Context& context_;
  Tape& tape_;
};

class Tape {
 public:
  /// The gradient table's entry for a new activation (or leaf).
  std::int32_t add_slot(const Tensor& tensor);
  /// An entry whose gradient lives in the lane's slab.
  std::int32_t add_slot(const Tensor& tensor, Parameter parameter, GradientSlab& slab);

  struct Names {
    const char* op;
    std::string_view scope;
  };

  /// Appends a node. `inputs` are slots and live in the arena. `backward` is called as
  /// backward(Backward&) at most once; it lives in the arena and must be trivially destructible:
  /// see keep() for heavier state.
  template <class F>
  void record(Arena& arena, const Names& names, std::span<const std::int32_t> inputs,
              std::span<const Tensor> outputs, const F& backward);

  /// Throws at the end of backward when the last node has received no gradient: for operations that
  /// already wrote gradients while running forward.
  void last_must_be_reached() { last_->must_be_reached = true; }

  /// Gradients of everything that `loss` (one element) depends on. Consumes the tape.
  void backward(Context& context, const Tensor& loss);
  /// The same for any tensor, given the gradient of its elements.
  void backward(Context& context, const Tensor& output, const Tensor& upstream);

  /// What Context::retain and Context::gradient do.
  void retain(const Tensor& tensor);
  Tensor gradient(Context& context, const Tensor& tensor);

  /// Keeps an object alive until the next step.
  template <class Object>
  Object& keep(Object object) {
    auto owner = std::make_shared<Object>(std::move(object));
    kept_.push_back(owner);
    return *owner;
  }

  /// Forgets all nodes, slots and gradients: a new step begins.
  void reset();

  std::int64_t nodes() const { return node_count_; }
  /// Memory for gradients of activations.
  const Arena& gradient_arena() const { return gradients_; }

 private:
  friend class Backward;

  struct Slot {
    Shape shape;
    DType dtype = DType::kFloat32;
    void* gradient = nullptr;
    std::size_t capacity = 0;  // bytes of the gradient's buffer
    bool written = false;
    bool retained = false;
    bool recycled = false;
    Parameter parameter;           // count 0: an activation
    GradientSlab* slab = nullptr;  // of the parameter
  };

  struct Node {
    Node* previous;
    Names names;
    std::span<const std::int32_t> inputs;
    std::span<const std::int32_t> outputs;
    bool must_be_reached;
    void (*run)(const void* functor, Backward& backward);
    const void* functor;
  };

  Slot& slot(const Tensor& tensor);
  Slot& slot(std::int32_t index) { return slots_[static_cast<std::size_t>(index)]; }
  void run(Context& context);
  bool reached(const Node& node) const;
  void ensure_buffer(Slot& slot);
  void recycle(const Node& node);
  void scan_gradients(const Node& node);
  static void check_not_consumed(const Slot& slot);
  Tensor gradient_of(const Slot& slot) const;
  void append(Node* node) {
    node->previous = last_;
    last_ = node;
    ++node_count_;
  }
  static std::span<const std::int32_t> slots_of(Arena& arena, std::span<const Tensor> tensors);

  std::vector<Slot> slots_;
  Node* last_ = nullptr;
  std::int64_t node_count_ = 0;
  Arena gradients_;
  struct Buffer {
    void* memory;
    std::size_t capacity;
  };
  std::vector<Buffer> free_;
  std::vector<std::shared_ptr<void>> kept_;
};

template <class F>
void Tape::record(Arena& arena, const Names& names, std::span<const std::int32_t> inputs,
                  std::span<const Tensor> outputs, const F& backward) {
  static_assert(std::is_trivially_destructible_v<F>,
                "a backward function lives in the arena: give heavier state to tape.keep()");
  static_assert(alignof(F) <= Arena::kAlignment);
  void* const functor = new (arena.allocate(sizeof(F))) F(backward);
  const auto call = [](const void* f, Backward& b) { (*static_cast<const F*>(f))(b); };
  append(new (arena.allocate(sizeof(Node)))
             Node{nullptr, names, inputs, slots_of(arena, outputs), false, call, functor});
}

}  // namespace heddle
