// The comparison that the other tests trust sees a NaN wherever it is.
#include "tests/support/compare.h"

#include <doctest/doctest.h>

using heddle::testing::worse_of;
using heddle::testing::worst_error;

TEST_CASE("a non-finite value anywhere makes the error infinite") {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> good{1.0, 2.0, 4.0};
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const double bad : {std::nan(""), infinite, -infinite}) {
      std::vector<double> damaged = good;
      damaged[i] = bad;
      CHECK(worst_error(good, damaged) == infinite);
      CHECK(worst_error(damaged, good) == infinite);
      CHECK(worst_error(damaged, damaged) == infinite);
    }
  }
  CHECK(worse_of(std::nan(""), 1.0) == infinite);
  CHECK(worse_of(1.0, std::nan("")) == infinite);
}

TEST_CASE("the error is the largest difference, and infinite where sizes differ") {
  const std::vector<double> a{1.0, 2.0, 4.0};
  CHECK(worst_error(a, std::vector<float>{1.0F, 2.5F, 3.75F}) == 0.5);
  CHECK(worst_error(a, a) == 0.0);
  CHECK(std::isinf(worst_error(a, std::vector<double>{1.0, 2.0})));
  CHECK(worse_of(1.0, 3.0) == 3.0);
  CHECK(worse_of(3.0, 1.0) == 3.0);
}
