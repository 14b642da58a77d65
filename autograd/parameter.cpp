#include "autograd/parameter.h"

#include <cmath>

#include "autograd/base/aligned.h"
#include "autograd/base/check.h"
#include "autograd/base/nearest.h"
#include "autograd/base/random.h"

namespace heddle {

namespace {

// FNV-1a: the stream of a parameter depends on its name, not on what else the model holds.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

template <class T>
void fill(const ParameterStore::Entry& entry, std::uint64_t seed, T* values) {
  const std::int64_t count = entry.shape.elements();
  const double scale = entry.initialiser.value;
  if (entry.initialiser.kind == Initialiser::Kind::kConstant) {
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(scale);
    return;
  }
  const bool normal = entry.initialiser.kind == Initialiser::Kind::kNormal;
  const RandomStream stream = random_stream({seed, hash_of(entry.name), 0, 0}, 0);
  for (std::int64_t i = 0; i < count; i += 2) {
    const PhiloxCounter bits = stream(0, static_cast<std::uint64_t>(i / 2));
    const std::array<double, 2> pair =
        normal ? normal_pair(bits)
               : std::array<double, 2>{2.0 * unit_interval(bits[0], bits[1]) - 1.0,
                                       2.0 * unit_interval(bits[2], bits[3]) - 1.0};
    values[i] = static_cast<T>(scale * pair[0]);
    if (i + 1 < count) values[i + 1] = static_cast<T>(scale * pair[1]);
  }
}

}  // namespace

Initialiser Initialiser::xavier_uniform(std::int64_t fan_in, std::int64_t fan_out) {
  return uniform(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

Shape Parameter::shape() const {
  const Shape& one = store->entry(first).shape;
  if (count == 1) return one;
  std::int64_t size = 0;
  for (std::int32_t i = 0; i < count; ++i) size += store->entry(first + i).shape[0];
  return one.with(0, size);
}

const std::string& Parameter::name() const {
  return store->entry(first).name;
}

Parameter joined(std::span<const Parameter> neighbours) {
  check(!neighbours.empty(), "joined: no parameter given");
  Parameter result = neighbours.front();
  result.count = 0;
  const Shape& shape = result.store->entry(result.first).shape;
  check(shape.rank() > 0, "joined: parameter ", result.name(), " is a scalar");
  for (const Parameter& next : neighbours) {
    check(next.store == result.store && next.first == result.first + result.count,
          "joined: ", next.name(), " does not follow the parameter before it in the store");
    for (std::int32_t i = 0; i < next.count; ++i) {
      const Shape& other = next.store->entry(next.first + i).shape;
      check(other.rank() == shape.rank() && other.with(0, shape[0]) == shape,
            "joined: ", next.name(), " ", other, " does not fit ", shape);
    }
    result.count += next.count;
  }
  return result;
}

ParameterStore::ParameterStore(DType dtype) : dtype_(dtype) {
  check(is_floating(dtype), "parameters: need float32 or float64, not ", dtype);
}

Parameter ParameterStore::declare(const std::string& name, const Shape& shape,
                                  const Initialiser& initialiser) {
  check(!allocated(), "parameter ", name, ": declared after the slab was allocated");
  check(shape.elements() > 0, "parameter ", name, ": shape ", shape, " holds no element");
  const auto index = static_cast<std::int32_t>(entries_.size());
  check(indices_.emplace(name, index).second, "parameter ", name, ": declared twice");
  entries_.push_back({name, shape, initialiser, elements_, true});
  elements_ += shape.elements();
  return {this, index, 1};
}

void ParameterStore::allocate() {
  adopt(allocate_zeros(static_cast<std::size_t>(elements_) * size_of(dtype_)));
}

void ParameterStore::adopt(std::shared_ptr<void> memory) {
  check(!allocated(), "parameters: the slab is already allocated");
  check(memory != nullptr, "parameters: no memory given for the slab");
  slab_ = std::move(memory);
}

void ParameterStore::swap_slab(std::shared_ptr<void>& other) {
  check(allocated() && other != nullptr, "parameters: no slab to swap");
  slab_.swap(other);
}

void ParameterStore::initialise(std::uint64_t seed) {
  check(allocated(), "parameters: initialised before the slab was allocated");
  dispatch(dtype_, "parameters", [&](auto zero) {
    using T = decltype(zero);
    for (const Entry& entry : entries_) {
      fill(entry, seed, static_cast<T*>(slab_.get()) + entry.offset);
    }
  });
}

Parameter ParameterStore::find(std::string_view name) const {
  const auto found = indices_.find(std::string(name));
  if (found == indices_.end()) {
    std::vector<std::string_view> names;
    for (const Entry& entry : entries_) names.push_back(entry.name);
    fail("parameter ", name, ": not in the model", suggestion(name, names));
  }
  return {this, found->second, 1};
}

void ParameterStore::set_trainable(Parameter parameter, bool trainable) {
  check(parameter.store == this, "parameter: belongs to another store");
  for (std::int32_t i = 0; i < parameter.count; ++i) {
    entries_[static_cast<std::size_t>(parameter.first + i)].trainable = trainable;
  }
}

void* ParameterStore::data(Parameter parameter) const {
  check(parameter.store == this, "parameter: belongs to another store");
  check(allocated(), "parameter ", parameter.name(), ": used before the slab was allocated");
  return static_cast<std::byte*>(slab_.get()) +
         static_cast<std::size_t>(entry(parameter.first).offset) * size_of(dtype_);
}

}  // namespace heddle
