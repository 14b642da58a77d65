// What all optimizers promise: the same bits on any number of threads and after a restart, no
// allocation in a steady step, and a sentence for every mistake.
#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/support/allocation_counter.h"
#include "tests/support/optimizers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::all_optimizers;
using heddle::testing::failure;
using heddle::testing::NamedShape;
using heddle::testing::OptimizedStore;
using heddle::testing::TemporaryFolder;

namespace {

// Large enough for several pieces of the slab and several blocks of rows; of no round size.
const std::vector<NamedShape> kLarge = {{"table", {1001, 53}},
                                        {"bias", {37}},
                                        {"wide", {3, 20011}},
                                        {"gain", {20000}},
                                        {"cube", {5, 7, 11}}};
const std::vector<NamedShape> kSmall = {{"weight", {5, 7}}, {"bias", {5}}};

std::string optimizer_error(const std::string& config) {
  try {
    const OptimizedStore m(config, kSmall);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("optimizer: bits do not depend on the number of threads") {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const std::string& config : all_optimizers()) {
      CAPTURE(config);
      OptimizedStore one(config, kLarge, dtype);
      const auto before = one.values();
      for (int update = 1; update <= 3; ++update) one.step(update, 1, 0.7);
      CHECK(one.values() != before);
      for (const int threads : {2, 3, 4}) {
        OptimizedStore many(config, kLarge, dtype);
        for (int update = 1; update <= 3; ++update) many.step(update, threads, 0.7);
        CHECK(one.values() == many.values());
        CHECK(one.state() == many.state());
      }
    }
  }
}

TEST_CASE("optimizer: a run goes on from its state with the same bits") {
  const TemporaryFolder folder;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const std::string& config : all_optimizers()) {
      CAPTURE(config);
      OptimizedStore whole(config, kLarge, dtype), resumed(config, kLarge, dtype);
      OptimizedStore forgetful(config, kLarge, dtype);
      for (int update = 1; update <= 3; ++update) whole.step(update);
      const auto path = folder / "optimizer.safetensors";
      write_safetensors(path, whole.optimizer.state());
      resumed.optimizer.load_state(SafetensorsFile(path));
      CHECK(resumed.state() == whole.state());
      for (OptimizedStore* other : {&resumed, &forgetful}) {
        for (const NamedShape& parameter : kLarge) {
          other->set(parameter.name, whole.values(parameter.name).data());
        }
      }
      for (int update = 4; update <= 6; ++update) {
        for (OptimizedStore* other : {&whole, &resumed, &forgetful}) other->step(update);
      }
      CHECK(resumed.values() == whole.values());
      CHECK((forgetful.values() == whole.values()) == whole.state().empty());
    }
  }
}

TEST_CASE("optimizer: a moment that is not finite is named") {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    OptimizedStore m("{}", kSmall, dtype);
    m.step(1);
    CHECK(m.optimizer.bad_state() == "");
    auto* const moment = static_cast<std::byte*>(const_cast<void*>(m.optimizer.state()[2].data));
    std::memset(moment + size_of(dtype), 0xFF, size_of(dtype));
    CHECK(m.optimizer.bad_state() == "adam.second.weight");
  }
}

TEST_CASE("optimizer: the state is named by kind and parameter") {
  const auto names = [](const std::string& config) {
    std::vector<std::string> result;
    const OptimizedStore m(config, kSmall);
    for (const TensorToWrite& tensor : m.optimizer.state()) result.push_back(tensor.name);
    return result;
  };
  using Names = std::vector<std::string>;
  CHECK(names("{}") ==
        Names{"adam.first.weight", "adam.first.bias", "adam.second.weight", "adam.second.bias"});
  CHECK(names(R"({"type": "sgd"})") == Names{"sgd.velocity.weight", "sgd.velocity.bias"});
  CHECK(names(R"({"type": "sgd", "momentum": 0})").empty());
  CHECK(names(R"({"type": "adafactor"})") ==
        Names{"adafactor.row.weight", "adafactor.column.weight", "adafactor.second.bias"});
  CHECK(names(R"({"type": "adafactor", "beta1": 0.5})") ==
        Names{"adafactor.row.weight", "adafactor.column.weight", "adafactor.second.bias",
              "adafactor.first.weight", "adafactor.first.bias"});
}

TEST_CASE("optimizer: a state that is not its own is refused with all differences") {
  const TemporaryFolder folder;
  const auto path = folder / "optimizer.safetensors";
  const auto refused = [&](const std::vector<NamedShape>& parameters, DType dtype) {
    const OptimizedStore other(R"({"type": "sgd"})", parameters, dtype);
    write_safetensors(path, other.optimizer.state());
    OptimizedStore m(R"({"type": "sgd"})", kSmall);
    m.step(1);
    const auto before = m.state();
    const std::string message = failure([&] { m.optimizer.load_state(SafetensorsFile(path)); });
    CHECK((m.state() == before) == !message.empty());
    return message;
  };
  CHECK(refused(kSmall, DType::kFloat64).empty());
  const std::string start = path.string() + ": its state is not this optimizer's: ";
  CHECK(refused({{"weight", {7, 5}}, {"other", {5}}, {"more", {1}}}, DType::kFloat64) ==
        start +
            "missing sgd.velocity.bias; unexpected sgd.velocity.other, sgd.velocity.more; of "
            "another kind sgd.velocity.weight: F64 [7, 5] in the file, F64 [5, 7] here");
  CHECK(refused({{"weight", {5, 7}}, {"bias", {5}}}, DType::kFloat32) ==
        start +
            "of another kind sgd.velocity.weight: F32 [5, 7] in the file, F64 [5, 7] here, "
            "sgd.velocity.bias: F32 [5] in the file, F64 [5] here");
}

TEST_CASE("optimizer: a steady step allocates nothing") {
  for (const std::string& config : all_optimizers()) {
    CAPTURE(config);
    OptimizedStore m(config, kLarge, DType::kFloat32);
    for (int update = 1; update <= 2; ++update) m.step(update, 2);
    const std::int64_t before = heddle::testing::allocations();
    for (int update = 3; update <= 6; ++update) {
      m.optimizer.step(m.gradients.front(), 0.01, update, 0.5, 2);
    }
    CHECK(heddle::testing::allocations() == before);
    const std::vector<int> counted(3);  // the counter does count
    CHECK(heddle::testing::allocations() > before);
  }
}

TEST_CASE("optimizer: a row without gradient stays where it is") {
  for (const std::string& config : {std::string("{}"), std::string(R"({"type": "sgd"})"),
                                    std::string(R"({"type": "adafactor"})")}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
      CAPTURE(config);
      OptimizedStore m(config, kSmall, dtype);
      const auto before = m.values("weight");
      std::vector<double> gradient(35, 0.5);
      std::fill_n(gradient.begin() + 14, 7, 0.0);
      for (int update = 1; update <= 3; ++update) {
        m.set_gradient("weight", gradient.data());
        m.optimizer.step(m.gradients.front(), 0.01, update, 1.0, 1);
      }
      const auto after = m.values("weight");
      for (std::size_t i = 0; i < 35; ++i) {
        CHECK((after[i] == before[i]) == (i / 7 == 2));
        CHECK(std::isfinite(after[i]));
      }
    }
  }
}

TEST_CASE("optimizer: a wrong config is said") {
  CHECK(optimizer_error(R"({"type": "adamax"})") ==
        "test.json:1:10: type: \"adamax\" is none of adam, adamw, sgd, adafactor; did you mean "
        "\"adam\"?");
  CHECK(optimizer_error(R"({"betas": [0.9, 1]})") == "test.json:1:11: betas: 1 is not below 1");
  CHECK(optimizer_error(R"({"eps": 0})").starts_with("test.json:1:9: eps: 0 is below "));
  CHECK(optimizer_error(R"({"momentum": 0.9})") ==
        "test.json:1:2: momentum: has no effect: it is for the type \"sgd\"");
  CHECK(optimizer_error(R"({"type": "sgd", "momentum": 0, "nesterov": true})") ==
        "test.json:1:44: nesterov: needs a momentum above 0");
  CHECK(optimizer_error(R"({"weight_decay": -1})") ==
        "test.json:1:18: weight_decay: -1 is below 0");
  CHECK(optimizer_error(R"({"type": "adafactor", "clip_threshold": 0})") ==
        "test.json:1:41: clip_threshold: 0 is not above 0");
  CHECK(optimizer_error(R"({"type": "adafactor", "decay_rate": -2})") ==
        "test.json:1:37: decay_rate: -2 is not above 0");
}

TEST_CASE("optimizer: used in the wrong order it says so") {
  ParameterStore store(DType::kFloat32);
  store.declare("weight", {2, 3}, Initialiser::constant(1));
  store.set_trainable(store.declare("fixed", {2, 3}, Initialiser::constant(1)), false);
  const ConfigDocument document = ConfigDocument::parse("{}", "test.json");
  Optimizer optimizer(document.root(), store);
  store.allocate();
  const GradientSlab gradients(store);
  CHECK_MESSAGE_THROWN(optimizer.step(gradients, 0.1, 1, 1.0, 1),
                       "optimizer: used before its state was allocated");
  CHECK_MESSAGE_THROWN(optimizer.state(), "optimizer: used before its state was allocated");
  optimizer.allocate();
  CHECK_MESSAGE_THROWN(optimizer.step(gradients, 0.1, 0, 1.0, 1),
                       "optimizer: updates count from 1, not from 0");
  CHECK(optimizer.state().size() == 2);  // of "weight": what was frozen before stays so
  ParameterStore other(DType::kFloat32);
  other.declare("weight", {2, 3}, Initialiser::constant(1));
  other.allocate();
  CHECK_MESSAGE_THROWN(optimizer.step(GradientSlab(other), 0.1, 1, 1.0, 1),
                       "optimizer: the gradients belong to another store");
}
