// Parameters: named, contiguous, alive as long as the model.
//
// Two phases: layers declare what they need through a Scope (a named position in the store), then
// the store allocates one slab, in the order of declaration and without padding, and fills it: from
// initialisers or from a file. Neighbours in the slab can be used as one matrix (query, key,
// value). Each lane has a GradientSlab of the same layout.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "autograd/base/dtype.h"
#include "autograd/base/shape.h"

namespace heddle {

class ParameterStore;

/// How a fresh parameter is filled. Drawn from (seed, name, index): independent of all others.
struct Initialiser {
  enum class Kind : std::uint8_t { kConstant, kNormal, kUniform };
  Kind kind = Kind::kConstant;
  double value = 0.0;  // the constant, the standard deviation, or the bound: [-bound, bound)

  static Initialiser constant(double value) { return {Kind::kConstant, value}; }
  static Initialiser normal(double deviation) { return {Kind::kNormal, deviation}; }
  static Initialiser uniform(double bound) { return {Kind::kUniform, bound}; }
  /// Uniform with bound sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16).
  static Initialiser xavier_uniform(std::int64_t fan_in, std::int64_t fan_out);
};

/// A handle on one parameter, or on several neighbours of the slab seen as one matrix.
struct Parameter {
  const ParameterStore* store = nullptr;
  std::int32_t first = 0;
  std::int32_t count = 0;

  /// Of neighbours: the first dimension is the sum of theirs.
  Shape shape() const;
  const std::string& name() const;
};

/// Neighbours as one parameter. Throws unless they follow each other in the store and agree in all
/// dimensions but the first.
Parameter joined(std::span<const Parameter> neighbours);
inline Parameter joined(std::initializer_list<Parameter> neighbours) {
  return joined(std::span<const Parameter>(neighbours.begin(), neighbours.size()));
}

class ParameterStore {
 public:
  struct Entry {
    std::string name;
    Shape shape;
    Initialiser initialiser;
    std::int64_t offset = 0;  // in elements, from the beginning of the slab
    bool trainable = true;
  };

  explicit ParameterStore(DType dtype);
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  /// Phase one. Throws where the name is taken, the shape is empty or the slab is allocated.
  Parameter declare(const std::string& name, const Shape& shape, const Initialiser& initialiser);

  /// Phase two: the slab, all zero. Nothing can be declared any more.
  void allocate();
  /// Phase two, with memory of somebody else (a mapped checkpoint) as the slab: `elements()`
  /// values, kept alive by `memory`.
  void adopt(std::shared_ptr<void> memory);
  /// Fills the slab from the initialisers.
  void initialise(std::uint64_t seed);

  DType dtype() const { return dtype_; }
  bool allocated() const { return slab_ != nullptr; }
  std::int64_t elements() const { return elements_; }
  std::span<const Entry> entries() const { return entries_; }
  const Entry& entry(std::int32_t index) const { return entries_[static_cast<std::size_t>(index)]; }
  /// The parameter of this name; throws, with the nearest name, where there is none.
  Parameter find(std::string_view name) const;
  bool contains(std::string_view name) const { return indices_.contains(std::string(name)); }
  /// A frozen parameter takes part in forward but gets no gradient.
  void set_trainable(Parameter parameter, bool trainable);

  /// Takes other memory as the slab, of the same size, and gives back what it had.
  void swap_slab(std::shared_ptr<void>& other);

  /// The slab, and the memory of one parameter in it.
  void* slab() const { return slab_.get(); }
  void* data(Parameter parameter) const;

 private:
  DType dtype_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::int32_t> indices_;
  std::int64_t elements_ = 0;
  std::shared_ptr<void> slab_;
};

/// A named position in a store: "decoder.layers.0.self_attention".
class Scope {
 public:
  explicit Scope(ParameterStore& store, std::string path = "") : store_(&store), path_(path) {}

  Scope operator/(std::string_view name) const { return Scope(*store_, joined_path(name)); }
  Scope operator/(int index) const { return *this / std::to_string(index); }
  const std::string& path() const { return path_; }
  ParameterStore& store() const { return *store_; }

  Parameter declare(std::string_view name, const Shape& shape,
                    const Initialiser& initialiser) const {
    return store_->declare(joined_path(name), shape, initialiser);
  }

 private:
  std::string joined_path(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  ParameterStore* store_;
  std::string path_;
};

}  // namespace heddle
