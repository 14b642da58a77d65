#include "autograd/parameter_file.h"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::TemporaryFolder;

namespace {

void declare(ParameterStore& store, bool swapped = false) {
  if (swapped) store.declare("layer.bias", {3}, Initialiser::normal(1.0));
  store.declare("layer.weight", {3, 5}, Initialiser::normal(1.0));
  if (!swapped) store.declare("layer.bias", {3}, Initialiser::normal(1.0));
}

std::vector<double> values_of(const ParameterStore& store, const char* name) {
  const Parameter p = store.find(name);
  std::vector<double> values;
  dispatch(store.dtype(), "test", [&](auto zero) {
    const auto* data = static_cast<decltype(zero)*>(store.data(p));
    values.assign(data, data + p.shape().elements());
  });
  return values;
}

}  // namespace

TEST_CASE("parameters come back bit for bit, as a mapping that does not reach the file") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  ParameterStore store(DType::kFloat32);
  declare(store);
  store.allocate();
  store.initialise(1);
  save_parameters(path, store, {{"step", "12"}});
  for (int round = 0; round < 2; ++round) {
    ParameterStore loaded(DType::kFloat32);
    declare(loaded);
    load_parameters(path, loaded);
    CHECK(values_of(loaded, "layer.weight") == values_of(store, "layer.weight"));
    CHECK(values_of(loaded, "layer.bias") == values_of(store, "layer.bias"));
    CHECK(reinterpret_cast<std::uintptr_t>(loaded.slab()) % 64 == 0);
    static_cast<float*>(loaded.slab())[4] = 99.0F;  // the second round must not see it
  }
  CHECK(SafetensorsFile(path).metadata().at("step") == "12");
}

TEST_CASE("another order or type is copied and converted") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  ParameterStore store(DType::kFloat32);
  declare(store);
  store.allocate();
  store.initialise(1);
  save_parameters(path, store);
  ParameterStore swapped(DType::kFloat32), wide(DType::kFloat64), narrow(DType::kFloat32);
  declare(swapped, true);
  load_parameters(path, swapped);
  declare(wide);
  load_parameters(path, wide);
  for (const char* name : {"layer.weight", "layer.bias"}) {
    CHECK(values_of(swapped, name) == values_of(store, name));
    CHECK(values_of(wide, name) == values_of(store, name));
  }
  save_parameters(path, wide);
  declare(narrow);
  load_parameters(path, narrow);
  CHECK(values_of(narrow, "layer.weight") == values_of(store, "layer.weight"));
}

TEST_CASE("all differences between file and model are named, and nothing is allocated") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  ParameterStore store(DType::kFloat32);
  declare(store);
  store.declare("old.norm", {4}, {});
  store.allocate();
  save_parameters(path, store);
  ParameterStore other(DType::kFloat32);
  other.declare("layer.weight", {5, 3}, {});
  other.declare("layer.bias", {3}, {});
  other.declare("new.a", {2}, {});
  other.declare("new.b", {2}, {});
  CHECK_MESSAGE_THROWN(
      load_parameters(path, other),
      "model.safetensors: its parameters are not the model's: missing new.a, new.b; "
      "unexpected old.norm; of another kind layer.weight: [3, 5] in the file, "
      "[5, 3] in the model");
  CHECK_FALSE(other.allocated());
  CHECK_MESSAGE_THROWN(load_parameters(folder / "absent", other), "absent");
  const std::vector<std::uint8_t> bytes(15);
  const std::vector<TensorToWrite> tensors{{"layer.weight", "U8", {5, 3}, bytes.data()},
                                           {"layer.bias", "I8", {3}, bytes.data()},
                                           {"new.a", "U8", {2}, bytes.data()},
                                           {"new.b", "U8", {2}, bytes.data()}};
  write_safetensors(path, tensors);
  CHECK_MESSAGE_THROWN(load_parameters(path, other),
                       "layer.weight: U8 in the file, which is not F32 or F64");
  CHECK_FALSE(other.allocated());
}

TEST_CASE("what a file and a model share is taken over, the rest is named") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  ParameterStore store(DType::kFloat32);
  declare(store);
  store.declare("old", {2}, Initialiser::normal(1.0));
  store.allocate();
  store.initialise(1);
  save_parameters(path, store);
  ParameterStore other(DType::kFloat64);
  other.declare("new", {4}, Initialiser::normal(1.0));
  declare(other, true);
  other.allocate();
  other.initialise(2);
  const std::vector<double> own = values_of(other, "new");
  const ParameterDifferences found = load_matching_parameters(path, other);
  CHECK(found.message() == "missing new; unexpected old");
  CHECK(values_of(other, "layer.weight") == values_of(store, "layer.weight"));
  CHECK(values_of(other, "layer.bias") == values_of(store, "layer.bias"));
  CHECK(values_of(other, "new") == own);

  ParameterStore misshapen(DType::kFloat32);
  misshapen.declare("layer.weight", {5, 3}, Initialiser::normal(1.0));
  misshapen.allocate();
  CHECK_MESSAGE_THROWN(load_matching_parameters(path, misshapen),
                       "layer.weight: [3, 5] in the file, [5, 3] in the model");
}
