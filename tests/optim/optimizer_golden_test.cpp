// Ten steps of every optimizer against PyTorch, and of Adafactor against its algorithm written out
// (tests/golden/make_optimizer_golden.py).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "autograd/numeric_guard.h"
#include "optim/clip.h"
#include "tests/support/compare.h"
#include "tests/support/optimizers.h"
#include "tests/support/places.h"

using namespace heddle;
using heddle::testing::NamedShape;
using heddle::testing::OptimizedStore;
using heddle::testing::worse_of;

namespace {

constexpr std::int64_t kUpdates = 10;
const std::vector<NamedShape> kGoldenParameters = {
    {"layer.weight", {5, 7}}, {"layer.bias", {5}}, {"norm.gain", {7}}};

class Golden {
 public:
  Golden() : file_(heddle::testing::source_folder() + "/tests/golden/optimizers.safetensors") {}

  std::vector<std::string> cases() const {
    std::vector<std::string> names;
    for (const auto& [name, config] : file_.metadata()) {
      if (!name.starts_with("format")) names.push_back(name);
    }
    return names;
  }
  nlohmann::json config(const std::string& name) const {
    return nlohmann::json::parse(file_.metadata().at(name));
  }
  /// The part of update `update`, from 0.
  std::vector<double> values(const std::string& name, std::int64_t update,
                             std::int64_t count) const {
    const SafetensorsEntry& entry = file_.at(name);
    REQUIRE(entry.dtype == "F64");
    std::vector<double> result(static_cast<std::size_t>(count));
    const auto size = result.size() * sizeof(double);
    REQUIRE((static_cast<std::size_t>(update) + 1) * size <= file_.bytes(entry).size());
    std::memcpy(result.data(), file_.bytes(entry).data() + static_cast<std::size_t>(update) * size,
                size);
    return result;
  }

  /// Runs a case; the largest error of any parameter after any update, relative to 1 and more.
  double worst(const std::string& name, DType dtype) const {
    nlohmann::json config = this->config(name);
    const double clip_norm = config.value("clip_norm", 0.0);
    config.erase("clip_norm");
    OptimizedStore m(config.dump(), kGoldenParameters, dtype);
    for (const auto& [parameter, shape] : kGoldenParameters) {
      m.set(parameter, values("start." + parameter, 0, shape.elements()).data());
    }
    double worst = 0.0;
    int clipped = 0;
    for (std::int64_t update = 0; update < kUpdates; ++update) {
      for (const auto& [parameter, shape] : kGoldenParameters) {
        m.set_gradient(parameter,
                       values("gradients." + parameter, update, shape.elements()).data());
      }
      const double scale = clip_scale(gradient_norm(m.gradients.front(), 1), clip_norm);
      clipped += scale < 1.0 ? 1 : 0;
      m.optimizer.step(m.gradients.front(), values("learning_rates", update, 1)[0], update + 1,
                       scale, 1);
      for (const auto& [parameter, shape] : kGoldenParameters) {
        const std::vector<double> expected =
            values(name + "." + parameter, update, shape.elements());
        const std::vector<double> found = m.values(parameter);
        for (std::size_t i = 0; i < found.size(); ++i) {
          const double difference = std::abs(found[i] - expected[i]);
          worst = worse_of(worst, difference / std::max(1.0, std::abs(expected[i])));
        }
      }
    }
    CHECK((clipped > 0) == (clip_norm > 0.0));
    return worst;
  }

 private:
  SafetensorsFile file_;
};

}  // namespace

TEST_CASE("optimizers: ten steps in float64 are those of PyTorch") {
  const Golden golden;
  CHECK(golden.cases().size() == 14);
  for (const std::string& name : golden.cases()) {
    CAPTURE(name);
    CHECK(golden.worst(name, DType::kFloat64) < 1e-12);  // asked for: 1e-7
  }
}

TEST_CASE("optimizers: float32 stays close to float64") {
  const Golden golden;
  for (const std::string& name : golden.cases()) {
    CAPTURE(name);
    const double worst = golden.worst(name, DType::kFloat32);
    CHECK(worst < 5e-6);
    CHECK(worst > 1e-9);
  }
}

TEST_CASE("clip: what torch's clip_grad_norm_ multiplies with") {
  CHECK(clip_scale(4.0, 1.0) == 1.0 / (4.0 + 1e-6));
  CHECK(clip_scale(0.5, 1.0) == 1.0);
  CHECK(clip_scale(1.0, 1.0) == 1.0 / (1.0 + 1e-6));
  CHECK(clip_scale(0.0, 1.0) == 1.0);
  CHECK(clip_scale(1e30, 0.0) == 1.0);
}
