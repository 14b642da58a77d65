// A store with an optimizer, made from JSON text, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradient_slab.h"
#include "optim/optimizer.h"
#include "tests/support/random_values.h"

namespace heddle::testing {

struct NamedShape {
  std::string name;
  Shape shape;
};

/// Parameters with random values and the optimizer that a config gives them.
class OptimizedStore {
 public:
  /// `config` is the JSON text of the object "optimizer".
  OptimizedStore(const std::string& config, const std::vector<NamedShape>& parameters,
                 DType dtype = DType::kFloat64)
      : store(dtype),
        document_(ConfigDocument::parse(config, "test.json")),
        optimizer(document_.root(), declared(store, parameters)) {
    document_.finish();
    store.allocate();
    optimizer.allocate();
    store.initialise(5);
    gradients.emplace_back(store);
  }

  std::vector<double> values(const std::string& name) const {
    return read(store.data(store.find(name)), store.find(name).shape().elements());
  }
  std::vector<double> values() const { return read(store.slab(), store.elements()); }
  /// All numbers of the state, one tensor after the other.
  std::vector<double> state() const {
    std::vector<double> result;
    for (const TensorToWrite& tensor : optimizer.state()) {
      const auto part = read(tensor.data, tensor.shape.elements());
      result.insert(result.end(), part.begin(), part.end());
    }
    return result;
  }
  void set(const std::string& name, const double* values) {
    write(store.data(store.find(name)), store.find(name).shape().elements(), values);
  }
  void set_gradient(const std::string& name, const double* values) {
    const Parameter parameter = store.find(name);
    write(gradients.front().data(parameter), parameter.shape().elements(), values);
  }
  /// An update by gradients that depend on `update` alone.
  void step(std::int64_t update, int threads = 1, double gradient_scale = 1.0) {
    const std::vector<double> random = random_gradients(update);
    write(gradients.front().slab(), store.elements(), random.data());
    optimizer.step(gradients.front(), 0.01 * static_cast<double>(1 + update % 3), update,
                   gradient_scale, threads);
  }
  std::vector<double> random_gradients(std::int64_t update) const;

  ParameterStore store;

 private:
  static ParameterStore& declared(ParameterStore& store,
                                  const std::vector<NamedShape>& parameters) {
    for (const NamedShape& parameter : parameters) {
      store.declare(parameter.name, parameter.shape, Initialiser::normal(1.0));
    }
    return store;
  }
  std::vector<double> read(const void* from, std::int64_t count) const {
    return dispatch(store.dtype(), "read", [&](auto zero) {
      const auto* const values = static_cast<const decltype(zero)*>(from);
      return std::vector<double>(values, values + count);
    });
  }
  void write(void* to, std::int64_t count, const double* values) const {
    dispatch(store.dtype(), "write", [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t i = 0; i < count; ++i) static_cast<T*>(to)[i] = static_cast<T>(values[i]);
    });
  }

  ConfigDocument document_;

 public:
  Optimizer optimizer;
  std::vector<GradientSlab> gradients;  // one
};

inline std::vector<double> OptimizedStore::random_gradients(std::int64_t update) const {
  return random_values(store.elements(), static_cast<std::uint64_t>(update));
}

/// Types and options that differ in what they keep and in how they use it.
inline const std::vector<std::string>& all_optimizers() {
  static const std::vector<std::string> configs = {
      R"({"type": "adam", "weight_decay": 0.1})",
      R"({"type": "adamw", "weight_decay": 0.1})",
      R"({"type": "sgd", "momentum": 0, "weight_decay": 0.1})",
      R"({"type": "sgd", "nesterov": true})",
      R"({"type": "adafactor"})",
      R"({"type": "adafactor", "beta1": 0.9, "weight_decay": 0.1})"};
  return configs;
}

}  // namespace heddle::testing
