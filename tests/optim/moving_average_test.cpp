// The moving average of the weights, against its formula.
#include "optim/moving_average.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/parameter_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::failure;
using heddle::testing::TemporaryFolder;

namespace {

constexpr std::int64_t kSize = 40'000;  // several pieces of the parallel loop

struct Weights {
  ParameterStore store;

  explicit Weights(DType dtype = DType::kFloat64, const char* name = "weight") : store(dtype) {
    store.declare(name, {kSize}, Initialiser::normal(1.0));
    store.allocate();
    store.initialise(1);
  }
  double* values() const { return static_cast<double*>(store.slab()); }
  void change(int update) const {
    for (std::int64_t i = 0; i < kSize; ++i)
      values()[i] += 0.01 * static_cast<double>(i % 7 + update);
  }
};

}  // namespace

TEST_CASE("moving average: forgets the first weights soon, then by its decay") {
  Weights w;
  MovingAverage average(w.store, 0.6);
  std::vector<double> expected(w.values(), w.values() + kSize);
  for (int update = 1; update <= 20; ++update) {
    w.change(update);
    average.follow(update, update % 3 + 1);
    const double decay = std::min(0.6, (1.0 + update) / (10.0 + update));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = decay * expected[i] + (1.0 - decay) * w.values()[i];
    }
  }
  const std::vector<double> weights(w.values(), w.values() + kSize);
  {
    const MovingAverage::InUse in_use(average);
    for (std::size_t i = 0; i < expected.size(); i += 997) {
      CHECK(w.values()[i] == doctest::Approx(expected[i]).epsilon(1e-12));
    }
    CHECK(w.values()[3] != weights[3]);
  }
  CHECK(std::ranges::equal(weights, std::span(w.values(), kSize)));  // back again
}

TEST_CASE("moving average: goes on from a file with the same bits, with any number of threads") {
  const TemporaryFolder folder;
  const auto file = folder / "ema.safetensors";
  Weights one, other;
  MovingAverage whole(one.store, 0.99), first(other.store, 0.99);
  for (int update = 1; update <= 3; ++update) {
    one.change(update);
    other.change(update);
    whole.follow(update, 1);
    first.follow(update, 2);
  }
  first.save(file);
  MovingAverage resumed(other.store, 0.99);
  resumed.load(file);
  one.change(4);
  other.change(4);
  whole.follow(4, 1);
  resumed.follow(4, 3);
  const MovingAverage::InUse a(whole), b(resumed);
  CHECK(std::equal(one.values(), one.values() + kSize, other.values()));

  Weights stranger(DType::kFloat64, "another");
  MovingAverage strange(stranger.store, 0.5);
  const std::vector<double> before(stranger.values(), stranger.values() + kSize);
  CHECK(failure([&] { strange.load(file); })
            .ends_with("ema.safetensors: its averages are not the model's: missing another; "
                       "unexpected weight"));
  CHECK(std::equal(before.begin(), before.end(), stranger.values()));
  CHECK_THROWS_AS(strange.load(folder / "none"), FileError);
}
