#include "optim/optimizer.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "autograd/base/check.h"
#include "autograd/kernels/reduction.h"

namespace heddle {

namespace {

enum class OptimizerKind { kAdam, kAdamW, kSgd, kAdafactor };

constexpr Named<OptimizerKind> kOptimizers[] = {
    {"adam", OptimizerKind::kAdam},
    {"adamw", OptimizerKind::kAdamW},
    {"sgd", OptimizerKind::kSgd},
    {"adafactor", OptimizerKind::kAdafactor},
};

/// The keys that not all types read, with those that do.
struct KeyOfTypes {
  const char* key;
  const char* types;
};
constexpr KeyOfTypes kKeysOfTypes[] = {
    {"betas", "the types \"adam\" and \"adamw\""},
    {"eps", "the types \"adam\" and \"adamw\""},
    {"momentum", "the type \"sgd\""},
    {"nesterov", "the type \"sgd\""},
    {"eps1", "the type \"adafactor\""},
    {"eps2", "the type \"adafactor\""},
    {"clip_threshold", "the type \"adafactor\""},
    {"decay_rate", "the type \"adafactor\""},
    {"beta1", "the type \"adafactor\""},
    {"scale_parameter", "the type \"adafactor\""},
};

void append(std::string& message, const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  message.append(message.empty() ? "" : "; ").append(what);
  for (std::size_t i = 0; i < names.size(); ++i)
    message.append(i == 0 ? " " : ", ").append(names[i]);
}

// All that keeps `file` from being the state `wanted`; empty: nothing.
std::string state_differences(const SafetensorsFile& file, std::span<const StateTensor> wanted,
                              DType dtype) {
  std::vector<std::string> missing, unexpected, misshapen;
  std::set<std::string> known;
  for (const StateTensor& tensor : wanted) {
    known.insert(tensor.name);
    const SafetensorsEntry* const found = file.find(tensor.name);
    if (found == nullptr) {
      missing.push_back(tensor.name);
    } else if (found->shape != tensor.shape || found->dtype != safetensors_dtype(dtype)) {
      std::ostringstream text;
      text << tensor.name << ": " << found->dtype << ' ' << found->shape << " in the file, "
           << safetensors_dtype(dtype) << ' ' << tensor.shape << " here";
      misshapen.push_back(text.str());
    }
  }
  for (const SafetensorsEntry& entry : file.entries()) {
    if (!known.contains(entry.name)) unexpected.push_back(entry.name);
  }
  std::string message;
  append(message, "missing", missing);
  append(message, "unexpected", unexpected);
  append(message, "of another kind", misshapen);
  return message;
}

}  // namespace

Optimizer::Algorithm Optimizer::read_algorithm(const Config& optimizer) {
  const OptimizerKind kind =
      optimizer.choice("type", "adam", kOptimizers, "How gradients change the parameters.");
  for (const KeyOfTypes& known : kKeysOfTypes) {
    optimizer.unread(known.key, "it is for ", known.types);
  }
  if (kind == OptimizerKind::kSgd) return Sgd(optimizer);
  if (kind == OptimizerKind::kAdafactor) return Adafactor(optimizer);
  return Adam(optimizer, kind == OptimizerKind::kAdamW);
}

Optimizer::Optimizer(const Config& optimizer, ParameterStore& store)
    : store_(&store), algorithm_(read_algorithm(optimizer)) {
  const double decay =
      optimizer.number("weight_decay", 0.0, {.least = 0.0},
                       "Weight decay of matrices; biases and gains of norms are spared.");
  rules_ = read_groups(optimizer, store, decay);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Parameter parameter{&store, static_cast<std::int32_t>(i), 1};
    if (rules_[i].frozen) store.set_trainable(parameter, false);
    rules_[i].frozen = !store.entry(parameter.first).trainable;  // by whomever
  }
}

void Optimizer::allocate() {
  check(rules_.size() == store_->entries().size(),
        "optimizer: parameters were declared after it was made");
  std::visit([&](auto& algorithm) { algorithm.allocate(*store_, rules_); }, algorithm_);
  allocated_ = true;
}

void Optimizer::step(const GradientSlab& gradients, double learning_rate, std::int64_t update,
                     double gradient_scale, int threads) {
  check(allocated_, "optimizer: used before its state was allocated");
  check(&gradients.store() == store_, "optimizer: the gradients belong to another store");
  check(update >= 1, "optimizer: updates count from 1, not from ", update);
  const UpdateInput input{*store_, gradients, learning_rate, update, gradient_scale, threads};
  std::visit([&](auto& algorithm) { algorithm.step(input); }, algorithm_);
}

std::vector<StateTensor> Optimizer::tensors() const {
  check(allocated_, "optimizer: used before its state was allocated");
  return std::visit([&](const auto& algorithm) { return algorithm.state(*store_, rules_); },
                    algorithm_);
}

std::vector<TensorToWrite> Optimizer::state() const {
  std::vector<TensorToWrite> state;
  for (StateTensor& tensor : tensors()) {
    state.push_back(
        {std::move(tensor.name), safetensors_dtype(store_->dtype()), tensor.shape, tensor.data});
  }
  return state;
}

std::string Optimizer::bad_state() const {
  for (const StateTensor& tensor : tensors()) {
    const std::int64_t index = dispatch(store_->dtype(), "optimizer state", [&](auto zero) {
      return kernels::first_non_finite(tensor.shape.elements(),
                                       static_cast<const decltype(zero)*>(tensor.data));
    });
    if (index >= 0) return tensor.name;
  }
  return "";
}

void Optimizer::load_state(const SafetensorsFile& file) {
  const std::vector<StateTensor> wanted = tensors();
  const std::string wrong = state_differences(file, wanted, store_->dtype());
  check<FileError>(wrong.empty(), file.path(), ": its state is not this optimizer's: ", wrong);
  for (const StateTensor& tensor : wanted) {
    const auto bytes = file.bytes(file.at(tensor.name));
    std::memcpy(tensor.data, bytes.data(), bytes.size());
  }
}

}  // namespace heddle
