// The golden run: two small models built from PyTorch's own parts by tests/golden/make_golden.py.
// Same weights and batch, so the same loss, logits and gradients, and the same ten steps of Adam.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/safetensors.h"
#include "layers/transformer.h"
#include "tests/support/compare.h"
#include "tests/support/places.h"

using namespace heddle;
using heddle::testing::worse_of;

namespace {

constexpr std::int32_t kIds = 23;

/// What PyTorch computed, and the model that is to agree.
class Golden {
 public:
  Golden(const std::string& name, DType dtype)
      : file_(heddle::testing::source_folder() + "/tests/golden/" + name + ".safetensors"),
        document_(ConfigDocument::parse(file_.metadata().at("config"), name)),
        store(dtype),
        transformer(Scope(store), document_.root(), {{kIds}, {kIds}}),
        source_(ids("batch.source")),
        target_input_(ids("batch.target_input")),
        target_output_(ids("batch.target_output")),
        source_sequences_(packed(ids("batch.source_lengths"))),
        target_sequences_(packed(ids("batch.target_lengths"))),
        row_weights_(target_output_.size(), 1.0 / static_cast<double>(target_output_.size())) {
    document_.finish();
    store.allocate();
    dispatch(dtype, "golden", [&](auto zero) {
      for (const ParameterStore::Entry& entry : store.entries()) {
        const std::vector<double> given = values("parameters." + entry.name);
        REQUIRE(static_cast<std::int64_t>(given.size()) == entry.shape.elements());
        std::copy(given.begin(), given.end(),
                  static_cast<decltype(zero)*>(store.slab()) + entry.offset);
      }
    });
  }

  /// A tensor of the file, F64.
  std::vector<double> values(const std::string& name) const { return read<double>(name, "F64"); }

  Tensor loss(Context& c) const {
    return transformer.loss(c, {source(), target_input(), target_output_}, row_weights_, 0.1);
  }
  std::vector<double> logits() const {
    Context c;
    c.begin(Mode::kInference);
    const Memory memory = transformer.encode(c, source());
    const Tensor all = transformer.logits(c, transformer.decode(c, target_input(), memory));
    std::vector<double> result;
    for (std::int64_t i = 0; i < all.elements(); ++i) result.push_back(all.value(i));
    return result;
  }
  Tokens source() const { return {source_, source_sequences_}; }
  Tokens target_input() const { return {target_input_, target_sequences_}; }
  std::size_t parameters_in_file() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        file_.entries(), [](const auto& entry) { return entry.name.starts_with("parameters."); }));
  }

 private:
  template <class T>
  std::vector<T> read(const std::string& name, const char* dtype) const {
    const SafetensorsEntry& entry = file_.at(name);
    REQUIRE(entry.dtype == dtype);
    const auto bytes = file_.bytes(entry);
    std::vector<T> result(bytes.size() / sizeof(T));
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }
  std::vector<std::int32_t> ids(const std::string& name) const {
    std::vector<std::int32_t> result;
    for (const std::int64_t id : read<std::int64_t>(name, "I64")) {
      result.push_back(static_cast<std::int32_t>(id));
    }
    return result;
  }

  SafetensorsFile file_;
  ConfigDocument document_;

 public:
  ParameterStore store;
  Transformer transformer;

 private:
  std::vector<std::int32_t> source_, target_input_, target_output_;
  std::vector<Sequence> source_sequences_, target_sequences_;
  std::vector<double> row_weights_;
};

/// The largest difference, relative to the largest value.
double relative(const std::vector<double>& a, const std::vector<double>& b) {
  double size = 0.0;
  for (const double x : b) size = std::max(size, std::abs(x));
  return heddle::testing::worst_error(a, b) / size;
}

std::vector<double> gradient_of(const GradientSlab& gradients, const ParameterStore& store,
                                const std::string& name) {
  const Parameter p = store.find(name);
  std::vector<double> result;
  dispatch(store.dtype(), "golden", [&](auto zero) {
    const auto* values = static_cast<const decltype(zero)*>(gradients.data(p));
    result.assign(values, values + p.shape().elements());
  });
  return result;
}

void check_first_step(const std::string& name, DType dtype, double bound) {
  CAPTURE(name);
  const Golden golden(name, dtype);
  CHECK(golden.parameters_in_file() == golden.store.entries().size());
  CHECK(relative(golden.logits(), golden.values("logits")) < bound);
  GradientSlab gradients(golden.store);
  Context c(gradients);
  c.begin(Mode::kTraining);
  const Tensor loss = golden.loss(c);
  CHECK(relative({loss.value()}, golden.values("loss")) < bound);
  c.backward(loss);
  for (const ParameterStore::Entry& entry : golden.store.entries()) {
    CAPTURE(entry.name);
    // The gradient of a key's bias is zero: a constant on all scores changes no softmax. There is
    // nothing that its rounding errors could be relative to.
    const std::vector<double> ours = gradient_of(gradients, golden.store, entry.name);
    const std::vector<double> theirs = golden.values("gradients." + entry.name);
    if (entry.name.ends_with("key.bias")) {
      CHECK(heddle::testing::worst_error(ours, theirs) < bound);
    } else {
      CHECK(relative(ours, theirs) < bound);
    }
  }
}

/// Ten updates by Adam (Kingma and Ba 2015, algorithm 1) with the schedule of Vaswani et al. 2017,
/// equation 3, written out; their losses, and the loss after them.
std::vector<double> ten_updates(Golden& golden) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.98, kEps = 1e-9, kWarmUp = 4.0, kModel = 8.0;
  const auto count = static_cast<std::size_t>(golden.store.elements());
  auto* const weights = static_cast<double*>(golden.store.slab());
  std::vector<double> first(count), second(count), losses;
  GradientSlab gradients(golden.store);
  Context c(gradients);
  for (int t = 1; t <= 11; ++t) {
    c.begin(Mode::kTraining);
    const Tensor loss = golden.loss(c);
    losses.push_back(loss.value());
    c.backward(loss);
    const double rate =
        std::pow(kModel, -0.5) * std::min(std::pow(t, -0.5), t * std::pow(kWarmUp, -1.5));
    const auto* const g = static_cast<const double*>(gradients.slab());
    for (std::size_t i = 0; i < count; ++i) {
      first[i] = kBeta1 * first[i] + (1 - kBeta1) * g[i];
      second[i] = kBeta2 * second[i] + (1 - kBeta2) * g[i] * g[i];
      const double mean = first[i] / (1 - std::pow(kBeta1, t));
      const double variance = second[i] / (1 - std::pow(kBeta2, t));
      weights[i] -= rate * mean / (std::sqrt(variance) + kEps);
    }
    gradients.reset();
  }
  return losses;
}

}  // namespace

TEST_CASE("golden: loss, logits and gradients are PyTorch's, in float64") {
  check_first_step("post_norm", DType::kFloat64, 1e-9);
  check_first_step("pre_norm", DType::kFloat64, 1e-9);
}

TEST_CASE("golden: loss, logits and gradients are PyTorch's, in float32") {
  check_first_step("post_norm", DType::kFloat32, 1e-4);
  check_first_step("pre_norm", DType::kFloat32, 1e-4);
}

TEST_CASE("golden: ten steps of Adam lose as PyTorch's do") {
  for (const char* name : {"post_norm", "pre_norm"}) {
    CAPTURE(name);
    Golden golden(name, DType::kFloat64);
    std::vector<double> expected = golden.values("adam.losses");
    REQUIRE(expected.size() == 10);
    expected.push_back(golden.values("adam.final_loss").at(0));
    const std::vector<double> losses = ten_updates(golden);
    REQUIRE(losses.size() == 11);
    for (std::size_t i = 0; i < losses.size(); ++i) {
      CHECK(losses[i] == doctest::Approx(expected[i]).epsilon(1e-7));
    }
    CHECK(losses.back() < 0.9 * losses.front());
  }
}
